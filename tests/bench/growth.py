"""What a run that fills a store told, and how it is shown. Pure; grow.py measures it."""

from collections.abc import Sequence
from statistics import median

import attrs

from tests.bench.keeping import Kept
from tests.bench.restart import Restart
from tests.bench.slices import Series, cpu
from tests.bench.spread import Spread
from tests.bench.tables import Table

RUNNING = 7
SHOWN = 12  # rows of the table; the plot has all points


@attrs.frozen
class Point:
    """One chunk once so many events were stored, the bare handler's rate just before and after it, memory after it."""

    stored: int
    events_per_second: float
    bare_per_second: float
    cpu_per_event: float
    p99: float
    memory: int

    @property
    def per_bare(self) -> float:
        """Events for each request that the bare handler would have answered meanwhile."""
        return self.events_per_second / self.bare_per_second


@attrs.frozen
class Growth:
    """All points in order, memory after settling (`memory_late` where a million was reached), and both ends together.

    `grown` and `fresh` ran side by side in paired rounds: the store that had grown, and one of `start` events.
    """

    start: int
    memory_early: int
    memory_late: int | None
    points: tuple[Point, ...]
    grown: Series
    fresh: Series
    kept: Kept
    restart: Restart

    @property
    def rate(self) -> Spread:
        """Events/s of the grown store over the fresh one's."""
        return self.grown.events_over(self.fresh)

    @property
    def cost(self) -> Spread:
        """CPU an event of the grown store over the fresh one's."""
        return self.grown.over(self.fresh, cpu)

    @property
    def along(self) -> float:
        """Return the last tenth of the chunks over the first, each held against the bare handler of its seconds."""
        share = max(1, len(self.points) // 10)
        return median(point.per_bare for point in self.points[-share:]) / median(
            point.per_bare for point in self.points[:share]
        )


def evened(points: Sequence[Point]) -> list[tuple[float, float]]:
    """Return (stored, events/s) as they would be had the machine been equally fast all the time.

    A running median takes out what happened between a chunk and the glances at the bare handler around it.
    """
    usual = median(point.bare_per_second for point in points)
    near = [points[max(0, index - RUNNING // 2) : index + RUNNING // 2 + 1] for index in range(len(points))]
    return [
        (float(point.stored), median(each.per_bare for each in around) * usual)
        for point, around in zip(points, near, strict=True)
    ]


def growth_table(growth: Growth) -> Table:
    """Return some of the points."""
    last = len(growth.points) - 1
    shown = [growth.points[index] for index in sorted({round(last * row / (SHOWN - 1)) for row in range(SHOWN)})]
    headings = (
        "stored",
        "events/s",
        "bare requests/s",
        "events/s / bare",
        "CPU us/event",
        "p99 ms",
        "memory MiB",
    )
    rows = tuple(
        (
            f"{point.stored:,}",
            f"{point.events_per_second:,.0f}",
            f"{point.bare_per_second:,.0f}",
            f"{point.per_bare:.2f}",
            f"{point.cpu_per_event:.1f}",
            f"{point.p99 / 1000:.1f}",
            f"{point.memory / 2**20:,.0f}",
        )
        for point in shown
    )
    return Table("Growth", headings, rows)
