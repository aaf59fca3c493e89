"""JSON that costs more than its size: values, numbers, halves of characters, faults and explanations.

Each input is the worst of its kind that was found. Whoever sends it, memory stays within 24 times the inflated body
plus 40 MiB, and somebody who asks `/-/healthy` meanwhile waits no longer than LONGEST_WAIT. A wait is measured in the
server's CPU, since others use this machine too.
"""

import asyncio
import gzip
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import attrs
import pytest

from gateway.dialect import MAX_VALUES
from tests.faults.figures import Figure
from tests.faults.lives import watched
from tests.faults.traffic import Keys, keys_of
from tests.faults.wire import ask, request
from tests.kit.serving import Served

MEBIBYTE = 1 << 20
TIMES, MORE = 24, 40 * MEBIBYTE
LONGEST_WAIT = 0.100 / 31e-6  # in bare requests: 100 ms where one costs 31 us of CPU
ROUNDS = 3  # of which the best counts
TRACK, BATCH, IDENTIFY = "/api/public/apps/track", "/api/public/apps/batch", "/api/public/apps/identify"
MANY = MAX_VALUES - 1000
HALF = b'"\\ud83d"'
FRACTION = b"0.1234567890123456"

Input = tuple[str, str, bytes]
"""Of a request: the dialect whose key it has (`""` for none), the path, and the body."""


def repeated(unit: bytes, count: int) -> bytes:
    """Return JSON values, a comma between them."""
    return b",".join([unit] * count)


def message(inside: bytes) -> bytes:
    return b'{"messageId":"1","userId":"u","event":"e",%s}' % inside


def item(inside: bytes) -> bytes:
    """Return a good message of a batch, with something more in it."""
    return b'{"type":"track",%s' % message(inside)[1:]


def tranthor(inside: bytes) -> Input:
    return "tranthor", TRACK, message(inside)


def batch(items: bytes, beside: bytes = b"") -> Input:
    return "tranthor", BATCH, b'{"batch":[%s]%s}' % (items, beside)


def databuddy(inside: bytes, path: str = "/track") -> Input:
    return "databuddy", path, b"{%s}" % inside


def floats(last: bytes) -> bytes:
    return b'"properties":{"a":[%s,%s]}' % (repeated(FRACTION, MANY), last)


PAIRS = b",".join(b'"k%x":%s' % (number, HALF) for number in range(MANY))
ODD_KEYS = b",".join(b'"%x\\ud83d":1' % number for number in range(MANY))
LONG_KEY = b"k" * 4000
SHARED = b',"context":{"a":[%s]}' % repeated(HALF, 100)
LARGE = b',"context":{%s}' % b",".join(b'"k%x":1' % number for number in range(100_000))
BAD = b'{"type":"track"}'

INPUTS: dict[str, Callable[[], Input]] = {
    "well-formed floats, to compare with": lambda: tranthor(floats(b"1")),
    "well-formed texts, to compare with": lambda: tranthor(b'"properties":{"a":[%s]}' % repeated(b'"abcdef"', MANY)),
    "20,000 good items, to compare with": lambda: batch(repeated(item(b'"x":"abcdef"'), 20_000)),
    "2.5 million values": lambda: tranthor(b'"properties":{"a":[%s]}' % repeated(b"0", 2_500_000)),
    "2.5 million values, nobody's": lambda: ("", *tranthor(b'"properties":{"a":[%s]}' % repeated(b"0", 2_500_000))[1:]),
    "as many arrays as may be": lambda: tranthor(b'"properties":{"a":[%s]}' % repeated(b"[]", MANY)),
    "5 MiB of escaped quotes": lambda: tranthor(b'"a":"%s%s"' % (b"," * MAX_VALUES, b'\\"' * (2 * MEBIBYTE))),
    "a number of 22 digits beside floats": lambda: tranthor(floats(b"9" * 22)),
    "a number of 1,001 digits beside floats": lambda: tranthor(floats(b"9" * 1001)),
    "1e400 beside floats": lambda: tranthor(floats(b"1e400")),
    "half a character beside floats": lambda: tranthor(floats(HALF)),
    "a long key over many values": lambda: databuddy(b'"x":1,"%s":[%s]' % (LONG_KEY, repeated(b"0", MANY))),
    "a long key over many objects": lambda: databuddy(b'"x":1,"%s":[%s]' % (LONG_KEY, repeated(b"{}", MANY))),
    "many halves of characters": lambda: tranthor(b'"properties":{"a":[%s]}' % repeated(HALF, MANY)),
    "many halves of characters, an item unfit": lambda: databuddy(b'"x":[%s]' % repeated(HALF, MANY)),
    "an id of U+FFFD beside them": lambda: (
        "tranthor",
        TRACK,
        b'{"messageId":"1","userId":"\xef\xbf\xbd","event":"e","properties":{%s}}' % PAIRS,
    ),
    "many keys with half a character": lambda: tranthor(b'"properties":{%s}' % ODD_KEYS),
    "a half in each of 20,000 items": lambda: batch(repeated(item(b'"x":%s' % HALF), 20_000)),
    "halves in the context of many items": lambda: batch(repeated(item(b'"x":1'), 5_000), SHARED),
    "a half in each of many items, and a large context": lambda: batch(repeated(item(b'"x":%s' % HALF), 18_000), LARGE),
    "a half in each id of many items, and a large context": lambda: batch(
        repeated(b'{"type":"track","messageId":"1","userId":%s,"event":"e"}' % HALF, 18_000), LARGE
    ),
    "an id of 240,000 objects": lambda: batch(
        b'{"type":"track","messageId":"1","event":"e","userId":[%s]}' % repeated(b"{}", 240_000)
    ),
    "files of nothing": lambda: tranthor(b'"files":[%s]' % repeated(b"{}", 240_000)),
    "traits of the wrong type": lambda: databuddy(
        b'"profileId":"p","traits":{%s}' % b",".join(b'"%x":[]' % number for number in range(100_000)), "/identify"
    ),
    "an event name of 5 MB and no id": lambda: tranthor(b'"userId":{},"event":"%s"' % (b"x" * 5_000_000)),
    "20,000 bad items": lambda: batch(repeated(BAD, 20_000)),
}


@attrs.frozen
class Cost:
    """What one request did to the server: bytes of memory at the peak, seconds of CPU, the canary's longest wait."""

    status: int
    memory: int
    cpu: float
    wait: float


class Canary:
    """Asks `/-/healthy` without a pause, on a connection and a thread of its own."""

    def __init__(self, url: str, pid: int) -> None:
        self._address = urlsplit(url).netloc
        self._clock = cpu_clock(pid)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.waits: list[float] = []

    def __enter__(self) -> "Canary":
        self._thread.start()
        while len(self.waits) < 10:
            time.sleep(0.01)
        self.waits.clear()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _ask(self) -> None:
        connection = HTTPConnection(self._address, timeout=60)
        while not self._stopped.is_set():
            started = time.clock_gettime(self._clock)
            connection.request("GET", "/-/healthy")
            connection.getresponse().read()
            self.waits.append(time.clock_gettime(self._clock) - started)
            time.sleep(0.002)
        connection.close()


def measured(url: str, pid: int, raw: bytes) -> Cost:
    """Send a request, and return what it cost."""
    process, clock = Path(f"/proc/{pid}"), cpu_clock(pid)
    with Canary(url, pid) as canary:
        before = memory(process, "VmRSS")
        (process / "clear_refs").write_text("5")  # the peak is measured from here
        started = time.clock_gettime(clock)
        answer = asyncio.run(ask(url, raw))
        cpu = time.clock_gettime(clock) - started
        grown = memory(process, "VmHWM") - before
    return Cost(answer.status, grown, cpu, max(canary.waits))


def cpu_clock(pid: int) -> int:
    """Return the clock of the CPU time that another process has had, in nanoseconds (Linux: clock_getcpuclockid)."""
    return (~pid << 3) | 2


def bytes_of(keys: Keys, given: Input) -> bytes:
    dialect, path, body = given
    scheme = {"databuddy": "Bearer", "tranthor": "Basic"}
    headers = {"Authorization": f"{scheme[dialect]} {keys[dialect]}"} if dialect else {}
    return request(path, gzip.compress(body, 1), {"Content-Encoding": "gzip", **headers})


def memory(process: Path, name: str) -> int:
    """Return a process's memory by the kernel's name for it, in bytes."""
    [line] = [line for line in (process / "status").read_text().splitlines() if line.startswith(f"{name}:")]
    return int(line.split()[1]) * 1024


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with watched(tmp_path_factory.mktemp("json") / "data", new_python=True) as served:
        yield served


@pytest.fixture(scope="module")
def bare(served: Served) -> float:
    """Return the seconds of CPU of a request that does nothing, on this machine as it is now."""
    clock, connection = cpu_clock(served.process.pid), HTTPConnection(urlsplit(served.url).netloc)
    started = time.clock_gettime(clock)
    for _ in range(2000):
        connection.request("GET", "/-/healthy")
        connection.getresponse().read()
    connection.close()
    return (time.clock_gettime(clock) - started) / 2000


@pytest.mark.parametrize("name", INPUTS)
def test_json_costs_what_its_size_costs(served: Served, figure: Figure, bare: float, name: str) -> None:
    given = INPUTS[name]()
    raw = bytes_of(keys_of(served.greeting), given)
    best = None
    for _ in range(ROUNDS):
        cost = measured(served.url, served.process.pid, raw)
        best = cost if best is None or cost.wait < best.wait else best
        if best.wait < LONGEST_WAIT * bare and best.memory < TIMES * len(given[2]) + MORE:
            break
    assert best is not None
    figure(
        f"{len(given[2]) / MEBIBYTE:.1f} MiB, {best.status}: {best.memory / MEBIBYTE:.0f} MiB more, "
        f"{best.cpu:.2f} s of CPU, others waited {best.wait * 1000:.0f} of {LONGEST_WAIT * bare * 1000:.0f} ms"
    )
    assert best.status < 500
    assert best.memory < TIMES * len(given[2]) + MORE
    assert best.wait < LONGEST_WAIT * bare
