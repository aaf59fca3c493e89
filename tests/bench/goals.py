"""The ratios that were promised, and what this run measured of them. Pure."""

from collections.abc import Iterator, Sequence

import attrs

from tests.bench.rounds import Figures

SINGLE = "databuddy-single"
BATCH = "tranthor-batch"
BUSY = 0.85  # the bare handler always has work: where it got less of its core than this, others had the rest


@attrs.frozen
class Goal:
    """One promise: `least` must be reached, `aim` is better. `is_ceiling` says that less is better.

    One that is not `certain` compares rates or latencies of a run in which others used the cores.
    """

    text: str
    measured: float
    least: float
    aim: float
    is_ceiling: bool = False
    certain: bool = True

    @property
    def is_met(self) -> bool:
        """Whether the least is reached."""
        return self.measured <= self.least if self.is_ceiling else self.measured >= self.least


def is_disturbed(all_figures: Sequence[Figures]) -> bool:
    """Return whether others used the cores during the run: rates and latencies suffer then, CPU figures less."""
    return any(each.contestant == "bare" and each.server_share < BUSY for each in all_figures)


def goals(all_figures: Sequence[Figures]) -> Iterator[Goal]:
    """Yield the goals that these figures can tell of."""
    by_name = {(each.scenario, each.contestant): each for each in all_figures}
    bare, single = by_name.get((SINGLE, "bare")), by_name.get((SINGLE, "gateway"))
    if bare is not None and single is not None:
        cpu = single.cpu_per_request / bare.cpu_per_request
        rate = single.requests_per_second / bare.requests_per_second
        yield Goal("single event: CPU over the bare handler's", cpu, 2.0, 1.6, is_ceiling=True)
        tail, quiet = single.p99 / bare.p99, not is_disturbed(all_figures)
        yield Goal("single event: requests/s over the bare handler's", rate, 0.5, 0.65, certain=quiet)
        yield Goal("single event: p99 over the bare handler's", tail, 3.0, 2.0, is_ceiling=True, certain=quiet)
    batch = by_name.get((BATCH, "gateway"))
    if batch is None:
        return
    if bare is not None:
        scaled = 20_000 * bare.cpu_per_request / batch.cpu_per_event
        yield Goal("batch: events/s on a core that does 20,000 bare requests/s", scaled, 30_000, 30_000)
    for name, text, least, aim in (
        ("null", "batch: events/s over the null store's", 0.45, 0.6),
        ("fastapi", "batch: events/s over FastAPI + SQLAlchemy", 12.0, 20.0),
    ):
        other = by_name.get((BATCH, name))
        if other is not None:
            yield Goal(text, batch.events_per_second / other.events_per_second, least, aim)
    for (scenario, name), each in by_name.items():
        if scenario == BATCH and name.startswith("gateway x"):
            ratio = each.events_per_second / batch.events_per_second
            yield Goal(f"batch: events/s, {name} over one", ratio, 1.2, 1.6)
