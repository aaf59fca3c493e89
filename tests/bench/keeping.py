"""What stored events cost afterwards: bytes on disk, memory of the server, and how fast they are read out again."""

import subprocess
import time
from collections.abc import Callable

import attrs

from tests.bench.servers import ROOT, BenchFailed, Running, gateway_command
from tests.bench.spread import Spread, spread
from tests.bench.tables import Table

FEWEST = 20_000  # events: below, the start of an export and a log not yet merged are all that is weighed
EXPORTS = 3
ENOUGH_SECONDS = 60.0  # an export that takes longer than this is not repeated


@attrs.frozen
class Kept:
    """What a server with so many stored events takes, in bytes, and how many events/s `events export` reads.

    `per_bare` is how many it reads while the bare handler would answer one request, just before and after.
    """

    contestant: str
    events: int
    disk: int
    memory: int
    exported: Spread
    per_bare: Spread


def kept(running: Running, glance: Callable[[], float]) -> Kept:
    """Export everything that a running gateway has stored, some times, and weigh it. Raises BenchFailed.

    `glance` measures the bare handler's requests/s for a moment.
    """
    events = running.count()
    disk, memory = running.disk_bytes(), running.memory_bytes()
    rates: list[float] = []
    per_bare: list[float] = []
    started, before = time.perf_counter(), glance()
    while len(rates) < EXPORTS and (not rates or time.perf_counter() - started < ENOUGH_SECONDS):
        rates.append(_export(running, events))
        after = glance()
        per_bare.append(rates[-1] / ((before + after) / 2))
        before = after
    return Kept(running.contestant.name, events, disk, memory, spread(rates), spread(per_bare))


def table(all_kept: list[Kept]) -> Table:
    """Return what was weighed, a row for each gateway."""
    rows = tuple(
        (
            each.contestant,
            f"{each.events:,}",
            f"{each.disk / each.events:,.0f}",
            f"{each.memory / 2**20:,.0f}",
            f"{each.exported.middle:,.0f}",
            f"{each.per_bare.middle:.1f}",
        )
        for each in all_kept
    )
    headings = ("", "events", "bytes/event on disk", "memory MiB", "export events/s", "exported a bare request")
    return Table("Kept", headings, rows)


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
