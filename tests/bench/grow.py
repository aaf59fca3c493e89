"""How the rate holds as the data grows: batches with random ids until so many events are stored."""

from collections.abc import Callable
from statistics import median

import attrs

from tests.bench.loader import Loader, check
from tests.bench.servers import BenchFailed, Running
from tests.bench.slices import p99
from tests.bench.tables import Table
from tests.bench.traffic import Scenario

EARLY = 10_000  # the memory that a worker has by then is what it may not grow much beyond
START = 100_000
CHUNK = 50_000
MOST_SECONDS = 120.0  # for one chunk: below 400 events/s there is nothing to plot


@attrs.frozen
class Point:
    """The rate of one chunk, once so many events were stored, and the server's memory after it."""

    stored: int
    events_per_second: float
    cpu_per_event: float
    p99: float
    memory: int


@attrs.frozen
class Growth:
    """All points in order; the rates at its two ends are medians of three chunks."""

    memory_early: int
    points: tuple[Point, ...]

    @property
    def start(self) -> float:
        """Events/s over the first chunks from 0.1 million stored events on."""
        return median(point.events_per_second for point in self.points[:3])

    @property
    def end(self) -> float:
        """Events/s over the last chunks."""
        return median(point.events_per_second for point in self.points[-3:])


def grow(load: Loader, running: Running, scenario: Scenario, events: int, told: Callable[[str], None]) -> Growth:
    """Store so many events and return how the rate went. Raises BenchFailed."""
    _store(load, running, scenario, EARLY)
    early = running.memory_bytes()
    stored = EARLY + _store(load, running, scenario, START - EARLY).stored
    points: list[Point] = []
    while stored < events or len(points) < 3:
        chunk = _store(load, running, scenario, CHUNK)
        points.append(attrs.evolve(chunk, stored=stored))
        stored += chunk.stored
        told(f"{stored:,} of {events:,} events stored, {points[-1].events_per_second:,.0f} events/s")
    check(load, running)
    return Growth(early, tuple(points))


def table(growth: Growth) -> Table:
    """Return some of the points, and the ratios of the ends."""
    step = max(1, len(growth.points) // 10)
    shown = [*growth.points[:-1:step], growth.points[-1]]
    rows = tuple(
        (
            f"{point.stored:,}",
            f"{point.events_per_second:,.0f}",
            f"{point.cpu_per_event:.1f}",
            f"{point.p99 / 1000:.1f}",
            f"{point.memory / 2**20:,.0f}",
        )
        for point in shown
    )
    last = growth.points[-1]
    title = (
        f"Growth: rate at {last.stored:,} stored events over the rate at {START:,}: {growth.end / growth.start:.2f}; "
        f"memory over that after {EARLY:,}: {last.memory / growth.memory_early:.2f}"
    )
    return Table(title, ("stored", "events/s", "CPU us/event", "p99 ms", "memory MiB"), rows)


def _store(load: Loader, running: Running, scenario: Scenario, events: int) -> Point:
    """Store so many events more; the point's `stored` is how many they were."""
    one = load.send(running, scenario, MOST_SECONDS, events // scenario.items)
    done = one.requests * scenario.items + scenario.connections * scenario.items
    if done < events:
        raise BenchFailed(f"{done} of {events} events were stored in {MOST_SECONDS:.0f} s")
    return Point(
        done,
        one.rate * scenario.items,
        one.server_cpu / one.requests / scenario.items * 1e6,
        p99(one),
        running.memory_bytes(),
    )
