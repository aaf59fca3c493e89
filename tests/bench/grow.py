"""Fills a store with batches of random ids and follows the rate; then runs it side by side with a small one."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import attrs

from tests.bench.growth import Growth, Point
from tests.bench.keeping import kept
from tests.bench.loader import Loader
from tests.bench.restart import after_kill
from tests.bench.rounds import CALIBRATION, Lane, Pace, compare
from tests.bench.servers import BenchFailed, Contestant, Running, started
from tests.bench.slices import p99, rate
from tests.bench.traffic import Scenario

EARLY, LATE = 10_000, 1_000_000  # between these the memory of a worker may not grow much
START = 100_000
CHUNK = 50_000
MAX_SECONDS = 240.0  # for one chunk: below 200 events/s there is nothing to plot
SETTLE_SECONDS = 3.0
GLANCE_SECONDS = 0.15  # of the bare handler, between chunks
ENDS = Pace(16, 0.3)


@attrs.frozen
class Filling:
    """A gateway that is being filled with batches, a bare handler beside it, and what to load them with."""

    load: Loader
    running: Running
    bare: Running
    batches: Scenario
    singles: Scenario

    @property
    def stored(self) -> int:
        """Return how many events were acknowledged so far."""
        return self.load.acknowledged.get(self.running.port, 0)

    def add(self, events: int) -> Point:
        """Store so many events more; the point does not know the bare handler's rate yet."""
        before = self.stored
        most = max(1, events // self.batches.items - self.batches.connections)  # each connection sends one unmeasured
        one = self.load.send(self.running, self.batches, MAX_SECONDS, most)
        if self.stored - before < events:
            raise BenchFailed(f"{self.stored - before} of {events} events were stored in {MAX_SECONDS:.0f} s")
        return Point(
            stored=before,
            events_per_second=rate(one) * self.batches.items,
            bare_per_second=0.0,
            cpu_per_event=(one.server_cpu + one.later_cpu) / one.requests / self.batches.items * 1e6,
            p99=p99(one),
            memory=self.running.memory_bytes(),
        )

    def glance(self) -> float:
        """Return the bare handler's requests/s just now: how fast the machine is."""
        return rate(self.load.send(self.bare, self.singles, GLANCE_SECONDS))

    def memory(self) -> int:
        """Return the server's memory once it has come to rest."""
        time.sleep(SETTLE_SECONDS)
        return self.running.memory_bytes()


def grow(
    load: Loader,
    contestants: tuple[Contestant, Contestant],
    loads: tuple[Scenario, Scenario],
    events: int,
    folder: Path,
    told: Callable[[str], None],
) -> Growth:
    """Store so many events in a gateway, beside the bare handler: (gateway, bare), (batches, singles). BenchFailed."""
    gateway, bare = contestants
    batches, singles = loads
    with contextlib.ExitStack() as stack:
        running, beside = [stack.enter_context(started(each, folder)) for each in (gateway, bare)]
        filling = Filling(load, running, beside, batches, singles)
        filling.add(EARLY)
        early = filling.memory()
        filling.add(START - EARLY)
        points, late = _fill(filling, events, told)
        small = Filling(load, stack.enter_context(started(gateway, folder)), beside, batches, singles)
        small.add(START)
        lanes = [
            Lane("fresh", small.running, batches),
            Lane("grown", running, batches),
            Lane(CALIBRATION, beside, singles),
        ]
        fresh, grown, _ = compare(load, lanes, ENDS, told)
        told("exporting what was stored")
        weighed = kept(running, filling.glance)
        told("killed and started again")
        restart = after_kill(running, filling.stored)
        return Growth(START, early, late, points, grown, fresh, weighed, restart)


def _fill(filling: Filling, events: int, told: Callable[[str], None]) -> tuple[tuple[Point, ...], int | None]:
    """Fill up to so many events; return a point a chunk, and the memory at a million."""
    points: list[Point] = []
    late: int | None = None
    before = filling.glance()
    while filling.stored < events or len(points) < 3:
        if late is None and filling.stored >= LATE:
            late = filling.memory()
        chunk = filling.add(CHUNK)
        after = filling.glance()
        points.append(attrs.evolve(chunk, bare_per_second=(before + after) / 2))
        before = after
        told(f"{filling.stored:,} of {events:,} events stored, {chunk.events_per_second:,.0f} events/s")
    if late is None and filling.stored >= LATE:
        late = filling.memory()
    return tuple(points), late
