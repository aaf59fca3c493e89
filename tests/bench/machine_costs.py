"""What this machine takes for what every server does: a system call, a turn of Python, a sync. Measures for a moment.

Ratios to the bare handler depend on it: where a system call is dear, the bare handler is dear too, and whatever is
spent in Python beside it counts for less.
"""

import os
import socket
import tempfile
import time
from pathlib import Path
from statistics import median

import attrs

TURNS = 20_000
CALLS = 500
SYNCS = 8
REPEATED = 3
PART = b"x" * 200


@attrs.frozen
class Costs:
    """Microseconds: to send 200 bytes over loopback and receive them; for a turn of a Python loop; to sync a page."""

    send_and_receive: float
    turn: float
    sync: float

    def __str__(self) -> str:
        return (
            f"send+receive {self.send_and_receive:.1f} us, "
            f"1,000 turns of Python {self.turn * 1000:.0f} us, sync {self.sync / 1000:.2f} ms"
        )


def costs(folder: Path) -> Costs:
    """Measure on the caller's core; what is synced is a file in `folder`."""
    return Costs(
        send_and_receive=min(_send_and_receive() for _ in range(REPEATED)),
        turn=min(_turn() for _ in range(REPEATED)),
        sync=_sync(folder),
    )


def middle(several: list[Costs]) -> Costs:
    """Return the median of each."""
    return Costs(
        send_and_receive=median(each.send_and_receive for each in several),
        turn=median(each.turn for each in several),
        sync=median(each.sync for each in several),
    )


def _send_and_receive() -> float:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        peer, _ = server.accept()
        with peer:
            started = time.thread_time()
            for _ in range(CALLS):
                client.send(PART)
                peer.recv(len(PART))
            return (time.thread_time() - started) / CALLS * 1e6


def _turn() -> float:
    started, total = time.thread_time(), 0
    for number in range(TURNS):
        total += number
    return (time.thread_time() - started) / TURNS * 1e6


def _sync(folder: Path) -> float:
    with tempfile.TemporaryFile(dir=folder) as file:
        times = []
        for _ in range(SYNCS):
            file.write(bytes(4096))
            file.flush()
            started = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - started)
    return median(times) * 1e6
