"""What a request costs a running gateway, measured from outside, and whether that is within every request's bounds.

    cost = least(lambda: measure(served, hostile := Hostile(raw, size=len(body), items=3)))
    assert beyond(cost, hostile, well_formed) == []

All figures are of the server's processes together; Linux only. A bound of time is held against what this machine takes
for a bare aiohttp request, measured in the same run, and the least of eight tries counts: a busy machine fails nothing.
"""

import functools
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import attrs

from tests.bench.procfs import cpu_clocks, cpu_seconds, tree
from tests.kit.machine_speed import slowness
from tests.kit.serving import Served

KIB, MIB = 1 << 10, 1 << 20
MEMORY_A_BYTE, MEMORY_AT_LEAST = 24, 40 * MIB
TIMES_WELL_FORMED = 3
DISK_AT_LEAST, DISK_AN_ITEM = 64 * KIB, 32
LONGEST_WAIT = 0.1  # seconds, on a machine of slowness 1
TRIES = 8
PATIENCE = 60.0  # seconds for one answer
ASK = b"GET /-/healthy HTTP/1.1\r\nHost: canary\r\n\r\n"
ASK_EVERY = 0.003  # seconds
_PROC = Path("/proc")


@attrs.frozen
class Hostile:
    """A request to be measured: its bytes on the wire, and what its bounds are counted from.

    `size` is the length of its body after decompression, or of its head where that is what is large. `items` are those
    of its body. It is sent `times` times, `at_once` of them together, each on a connection of its own.
    """

    raw: bytes = attrs.field(repr=False)
    size: int
    items: int = 0
    times: int = 1
    at_once: int = 1


@attrs.frozen
class Cost:
    """What a request cost: bytes of memory at the peak, seconds of CPU on the event loops and in all threads, bytes of
    disk, the longest wait of a client that asked `/-/healthy` meanwhile, and the statuses of the answers (0: none).
    """

    memory: int
    loop: float
    cpu: float
    disk: int
    wait: float
    statuses: tuple[int, ...]

    def __str__(self) -> str:
        return (
            f"{','.join(map(str, sorted(set(self.statuses))))}: {self.memory / MIB:.1f} MiB, {self.loop * 1000:.0f} ms "
            f"on the loop, {self.cpu * 1000:.0f} ms in all, {self.disk / KIB:.0f} KiB of disk, "
            f"a wait of {self.wait * 1000:.0f} ms"
        )


def measure(served: Served, hostile: Hostile) -> Cost:
    """Send a request as often as it asks for, and return what that cost until the last answer was there."""
    pids = tree(served.process.pid)
    before = sum(_memory(pid, "VmRSS") for pid in pids)
    for pid in pids:
        (_PROC / str(pid) / "clear_refs").write_text("5")  # the peaks are measured from here
    clocks = cpu_clocks(served.process.pid)
    loop, cpu, disk = _loops(pids), cpu_seconds(clocks), disk_bytes(served.data)
    with canary(served) as waits, ThreadPoolExecutor(hostile.at_once) as senders:
        statuses = [*senders.map(lambda raw: status_of(served.url, raw), [hostile.raw] * hostile.times)]
        time.sleep(2 * ASK_EVERY)  # the canary's last question is answered behind the last answer
    loop, cpu = _loops(pids) - loop, cpu_seconds(clocks) - cpu
    asking = len(waits) * _cost_of_asking(
        served.url, served.process.pid
    )  # not the request's: the longer it takes, the more it is asked
    return Cost(
        memory=sum(_memory(pid, "VmHWM") for pid in pids) - before,
        loop=loop - asking,
        cpu=cpu - asking,
        disk=disk_bytes(served.data) - disk,
        wait=max(waits, default=0.0),
        statuses=tuple(statuses),
    )


def beyond(cost: Cost, hostile: Hostile, well_formed: float) -> list[str]:
    """Return which bounds a cost exceeds, each with both figures.

    `well_formed` is the CPU on the loop of a well-formed body of the same size, in seconds. The bounds of disk are for
    what is not stored as an event.
    """
    count = hostile.times
    limits = {
        "bytes of memory": (cost.memory, hostile.at_once * MEMORY_A_BYTE * hostile.size + MEMORY_AT_LEAST),
        "ms on the loop": (cost.loop * 1000, count * TIMES_WELL_FORMED * well_formed * 1000),
        "bytes of disk": (cost.disk, count * (hostile.size + DISK_AT_LEAST + DISK_AN_ITEM * hostile.items)),
        "ms that others wait": (cost.wait * 1000, LONGEST_WAIT * slowness() * 1000),
    }
    return [f"{was:.0f} {what}, at most {most:.0f}" for what, (was, most) in limits.items() if was > most]


def least(try_: Callable[[], Cost], holds: Callable[[Cost], bool] = lambda _cost: False) -> Cost:
    """Return the least of each figure of several tries; stop at the first that `holds`."""
    found: list[Cost] = []
    for _ in range(TRIES):
        found.append(try_())
        if holds(found[-1]):
            return found[-1]
    return Cost(
        memory=min(each.memory for each in found),
        loop=min(each.loop for each in found),
        cpu=min(each.cpu for each in found),
        disk=min(each.disk for each in found),
        wait=min(each.wait for each in found),
        statuses=found[-1].statuses,
    )


def status_of(url: str, raw: bytes) -> int:
    """Send a request on a connection of its own and return the status of its answer; 0 where it is closed instead."""
    with connected(url) as connection:
        with suppress(ConnectionError):  # refused before it was whole: the answer may be there
            connection.sendall(raw)
        try:
            with http.client.HTTPResponse(connection) as answer:
                answer.begin()
                answer.read()
                return answer.status
        except (ConnectionError, http.client.HTTPException):
            return 0


@functools.cache
def _cost_of_asking(url: str, pid: int) -> float:
    """Return the seconds of CPU that the canary's question takes on the loop: the least of several tries."""
    pids, tries = tree(pid), 50
    costs = []
    with connected(url) as connection:
        for _ in range(5):
            before = _loops(pids)
            for _ in range(tries):
                connection.sendall(ASK)
                assert connection.recv(65536).startswith(b"HTTP/1.1 200")
            costs.append((_loops(pids) - before) / tries)
    return min(costs)


@contextmanager
def canary(served: Served) -> Iterator[list[float]]:
    """Ask `/-/healthy` every few milliseconds, on a connection of its own; yields the seconds that each answer took.

    Not counted is how long the kernel let the server's main thread, or the canary itself, wait for a core.
    """
    waits: list[float] = []
    stopping = threading.Event()

    def ask() -> None:
        loop, own = _PROC / str(served.process.pid) / "schedstat", _PROC / "thread-self/schedstat"
        with connected(served.url) as connection:
            while not stopping.wait(ASK_EVERY):
                started, kept = time.perf_counter(), _kept_waiting(loop) + _kept_waiting(own)
                connection.sendall(ASK)
                if not connection.recv(65536).startswith(b"HTTP/1.1 200"):
                    waits.append(float("inf"))
                    return
                took = time.perf_counter() - started
                waits.append(max(0.0, took - (_kept_waiting(loop) + _kept_waiting(own) - kept)))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield waits
    finally:
        stopping.set()
        thread.join()


def disk_bytes(data: Path) -> int:
    """Return the size of all files below a directory."""
    total = 0
    for path in data.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue  # deleted just now
    return total


def resident_bytes(served: Served) -> int:
    """Return what the server's processes hold of memory."""
    return sum(_memory(pid, "VmRSS") for pid in tree(served.process.pid))


def connected(url: str) -> socket.socket:
    """Connect to a server."""
    place = urlsplit(url)
    connection = socket.create_connection((place.hostname, place.port), PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _memory(pid: int, name: str) -> int:
    """Return a process's memory by the kernel's name for it, in bytes."""
    [line] = [line for line in (_PROC / str(pid) / "status").read_text().splitlines() if line.startswith(f"{name}:")]
    return int(line.split()[1]) * KIB


def _loops(pids: list[int]) -> float:
    """Return the CPU that the main threads have had, which run the event loops, in seconds."""
    return sum(int((_PROC / str(pid) / "schedstat").read_text().split()[0]) for pid in pids) / 1e9


def _kept_waiting(schedstat: Path) -> float:
    """Return how long a thread was ready to run and had no core, in seconds."""
    return int(schedstat.read_text().split()[1]) / 1e9
