"""JSON that costs more than its size: values, numbers, halves of characters, faults and explanations.

Each input is the worst of its kind that was found. Whoever sends it, memory stays within 24 times the inflated body
plus 40 MiB, and somebody who asks `/-/healthy` meanwhile waits no longer than LONGEST_WAIT. A wait is measured in the
server's CPU, since others use this machine too.
"""

import asyncio
import gzip
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import attrs
import pytest

from gateway.testing.corpus.message import SentRequest
from tests.faults.figures import Figure
from tests.faults.lives import watched
from tests.faults.traffic import Keys, keys_of
from tests.faults.wire import ask
from tests.kit.endpoints import raw, shown
from tests.kit.of_dialects import modules, subjects
from tests.kit.serving import Served
from tests.security.pieces import Json

MEBIBYTE = 1 << 20
TIMES, MORE = 24, 40 * MEBIBYTE
LONGEST_WAIT = 0.100 / 31e-6  # in bare requests: 100 ms where one costs 31 us of CPU
ROUNDS = 3  # of which the best counts
INPUTS = {name: made for module in modules("costly").values() for name, made in module.JSON.items()}
"""Of each dialect that has some, in tests/dialects/<dialect>/costly.py."""


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


def measured(url: str, pid: int, sent: bytes) -> Cost:
    """Send a request, and return what it cost."""
    process, clock = Path(f"/proc/{pid}"), cpu_clock(pid)
    with Canary(url, pid) as canary:
        before = memory(process, "VmRSS")
        (process / "clear_refs").write_text("5")  # the peak is measured from here
        started = time.clock_gettime(clock)
        answer = asyncio.run(ask(url, sent))
        cpu = time.clock_gettime(clock) - started
        grown = memory(process, "VmHWM") - before
    return Cost(answer.status, grown, cpu, max(canary.waits))


def cpu_clock(pid: int) -> int:
    """Return the clock of the CPU time that another process has had, in nanoseconds (Linux: clock_getcpuclockid)."""
    return (~pid << 3) | 2


def bytes_of(keys: Keys, given: Json) -> bytes:
    sent = SentRequest("POST", given.path, {"Content-Encoding": "gzip"}, gzip.compress(given.body, 1))
    if given.dialect is None:
        return raw(sent)
    return raw(shown(sent, subjects()[given.dialect].dialect.kinds[0].places[0], keys[given.dialect]))


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
    sent = bytes_of(keys_of(served.greeting), given)
    best = None
    for _ in range(ROUNDS):
        cost = measured(served.url, served.process.pid, sent)
        best = cost if best is None or cost.wait < best.wait else best
        if best.wait < LONGEST_WAIT * bare and best.memory < TIMES * len(given.body) + MORE:
            break
    assert best is not None
    figure(
        f"{len(given.body) / MEBIBYTE:.1f} MiB, {best.status}: {best.memory / MEBIBYTE:.0f} MiB more, "
        f"{best.cpu:.2f} s of CPU, others waited {best.wait * 1000:.0f} of {LONGEST_WAIT * bare * 1000:.0f} ms"
    )
    assert best.status < 500
    assert best.memory < TIMES * len(given.body) + MORE
    assert best.wait < LONGEST_WAIT * bare
