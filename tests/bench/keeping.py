"""What stored events cost afterwards: bytes on disk, memory of the server, and how fast they are read out again."""

import subprocess
import time

import attrs

from tests.bench.servers import ROOT, BenchFailed, Running, gateway_command
from tests.bench.tables import Table


@attrs.frozen
class Kept:
    """What a server with so many stored events takes, in bytes, and how fast `events export` reads them."""

    contestant: str
    events: int
    disk: int
    memory: int
    exported_per_second: float


def kept(running: Running) -> Kept:
    """Export everything that a running gateway has stored, and weigh it. Raises BenchFailed."""
    events = running.count()
    return Kept(running.contestant.name, events, running.disk_bytes(), running.memory_bytes(), _export(running, events))


def table(all_kept: list[Kept]) -> Table:
    """Return what was weighed, a row for each gateway."""
    rows = tuple(
        (
            each.contestant,
            f"{each.events:,}",
            f"{each.disk / each.events:,.0f}",
            f"{each.memory / 2**20:,.0f}",
            f"{each.exported_per_second:,.0f}",
        )
        for each in all_kept
    )
    return Table("Kept", ("", "events", "bytes/event on disk", "memory MiB", "export events/s"), rows)


def _export(running: Running, events: int) -> float:
    command = [*gateway_command(), "events", "export", "--data", str(running.data), "--format", "jsonl"]
    started = time.perf_counter()
    lines = 0
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while chunk := process.stdout.read(1 << 20):
            lines += chunk.count(b"\n")
    if process.returncode != 0 or lines != events:
        raise BenchFailed(f"events export exited {process.returncode} with {lines} lines for {events} events")
    return events / (time.perf_counter() - started)
