"""Bombs: small requests that would grow. Each is answered soon, and the server's memory stays bounded."""

import asyncio
import functools
import gzip
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.figures import Figure
from tests.faults.lives import watched
from tests.faults.traffic import Keys, keys_of
from tests.faults.wire import ask, request
from tests.kit.serving import Served

GROWTH = 400  # mebibytes over what the server held before; a body's cap is 2 or 5
SECONDS = 4.0  # of CPU
MEBIBYTE = 1 << 20
TRACK, BATCH = "/api/public/apps/track", "/api/public/apps/batch"
GOOD = b'{"type":"track","userId":"u","messageId":"1","event":"e"}'


def many(item: bytes, size: int) -> bytes:
    """Return items in a list, up to about a size."""
    return b",".join([item] * (size // (len(item) + 1)))


def names(count: int) -> bytes:
    """Return the inside of an object of so many members."""
    return b",".join(b'"%x":1' % number for number in range(count))


LAYERS = 4000  # as many names as a header takes, about


@functools.cache
def wrapped() -> bytes:
    """Return 1 MiB of text in thousands of layers of gzip, none of which makes it smaller."""
    body = b"x" * MEBIBYTE
    for _ in range(LAYERS):
        body = gzip.compress(body, 0)
    return body


@functools.cache
def packed() -> bytes:
    """Return 200 MiB of blanks, gzipped."""
    return gzip.compress(b" " * (200 * MEBIBYTE), 6)


def databuddy(keys: Keys, body: bytes) -> bytes:
    return request("/track", body, {"Authorization": f"Bearer {keys['databuddy']}"})


def tranthor(keys: Keys, path: str, body: bytes, **more: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in more.items()}
    return request(path, body, {"Authorization": f"Basic {keys['tranthor']}", **named})


def track(count: int) -> bytes:
    return b'{"messageId":"1","userId":"u","event":"e","properties":{%s}}' % names(count)


def shared(item: bytes, size: int) -> bytes:
    return b'{"context":{"a":"%s"},%s' % (b"x" * MEBIBYTE, _batch(item, size))


MERGED = b'{"type":"track","context":{"a":1}}'
BOMBS: dict[str, Callable[[Keys], bytes]] = {
    # Nobody's: no key is needed for these.
    "contexts to merge, nobody's": lambda _: request(
        BATCH, b'{"context":{%s},%s' % (names(8000), _batch(MERGED, 250_000))
    ),
    "5 MiB of {}, nobody's": lambda _: request(BATCH, b"{" + _batch(b"{}", 5 * MEBIBYTE - 20)),
    "2 MiB of [], nobody's": lambda _: request("/track", b"[%s]" % many(b"[]", 2 * MEBIBYTE - 10)),
    "gzip, 200 MiB": lambda keys: tranthor(keys, TRACK, packed(), Content_Encoding="gzip"),
    "gzip in gzip": lambda keys: tranthor(keys, TRACK, gzip.compress(packed()), Content_Encoding="gzip, gzip"),
    "thousands of codings, nobody's": lambda _: request(
        "/track", wrapped(), {"Content-Encoding": ",".join(["gzip"] * LAYERS)}
    ),
    "a hundred thousand members, nobody's": lambda _: request(
        "/track", gzip.compress(b"") * 100_000, {"Content-Encoding": "gzip"}
    ),
    "a million brackets": lambda keys: databuddy(keys, b"[" * MEBIBYTE),
    "2 MiB of brackets that close": lambda keys: databuddy(keys, b"[" * MEBIBYTE + b"]" * (MEBIBYTE - 2)),
    "a million keys, gzipped": lambda keys: tranthor(keys, TRACK, gzip.compress(track(10**6)), Content_Encoding="gzip"),
    "half a million keys": lambda keys: tranthor(keys, TRACK, track(450_000)),
    "2 MiB of []": lambda keys: databuddy(keys, b"[%s]" % many(b"[]", 2 * MEBIBYTE - 10)),
    "a long number": lambda keys: databuddy(keys, b'{"name":"x","properties":{"n":%s}}' % (b"9" * MEBIBYTE)),
    "good items, large context": lambda keys: tranthor(keys, BATCH, shared(GOOD, 3 * MEBIBYTE)),
    "bad items, large context": lambda keys: tranthor(keys, BATCH, shared(b'{"type":"track"}', 7000)),
    "many bad items": lambda keys: tranthor(keys, BATCH, b"{" + _batch(b"{}", 300_000)),
    "many good items": lambda keys: tranthor(keys, BATCH, b"{" + _batch(GOOD, 4 * MEBIBYTE)),
}


def _batch(item: bytes, size: int) -> bytes:
    return b'"batch":[%s]}' % many(item, size)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with watched(tmp_path_factory.mktemp("bombs") / "data", new_python=True) as served:
        yield served


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_bounded_in_memory_and_in_time(served: Served, figure: Figure, name: str) -> None:
    raw = BOMBS[name](keys_of(served.greeting))
    status = Path(f"/proc/{served.process.pid}")
    before = memory(status, "VmRSS")
    (status / "clear_refs").write_text("5")  # the peak is measured from here
    started = busy(status)
    answer = asyncio.run(ask(served.url, raw))
    seconds = busy(status) - started
    grown = memory(status, "VmHWM") - before
    figure(f"{len(raw) / MEBIBYTE:.2f} MiB, {answer.status}, {seconds:.2f} s of CPU, {grown} MiB more at the peak")
    assert answer.status < 500
    assert grown < GROWTH
    assert seconds < SECONDS


def busy(status: Path) -> float:
    """Return how many seconds of CPU a process has had."""
    fields = (status / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(status: Path, name: str) -> int:
    """Return a process's memory by the kernel's name for it, in mebibytes."""
    [line] = [line for line in (status / "status").read_text().splitlines() if line.startswith(f"{name}:")]
    return int(line.split()[1]) // 1024
