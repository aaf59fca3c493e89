"""The ratios that were promised, and what this run measured of them. Pure."""

from collections.abc import Iterator, Mapping, Sequence

import attrs

from tests.bench.rounds import CALIBRATION
from tests.bench.slices import Series, cpu, p99, rate
from tests.bench.spread import Spread

SINGLE = "databuddy-single"
BATCH = "tranthor-batch"
BUSY = 0.85  # the bare handler always has work: where it got less of its core than this, others had the rest
CORE = 20_000  # bare requests/s of the core that the promise of batches was made for


@attrs.frozen
class Goal:
    """One promise: `least` must be reached, `aim` is better; a figure without a promise has neither.

    `is_ceiling` says that less is better. `beside` is what a reader must know with it. One that is not `certain`
    compares rates or latencies of a run in which others used the cores: who waits for a disk then loses less.
    """

    text: str
    measured: Spread
    least: float | None = None
    aim: float | None = None
    is_ceiling: bool = False
    beside: str = ""
    certain: bool = True

    @property
    def is_met(self) -> bool:
        """Whether the least is reached."""
        return self._reaches(self.least)

    @property
    def is_aim_met(self) -> bool:
        """Whether the aim is reached too."""
        return self._reaches(self.aim)

    def _reaches(self, bound: float | None) -> bool:
        if bound is None:
            return False
        return self.measured.middle <= bound if self.is_ceiling else self.measured.middle >= bound


def is_disturbed(all_series: Sequence[Series]) -> bool:
    """Return whether others used the cores during the run: rates and latencies suffer then, ratios of CPU do not."""
    return any(each.contestant == "bare" and each.server_share < BUSY for each in all_series)


def of_comparison(all_series: Sequence[Series]) -> Iterator[Goal]:
    """Yield what the scenarios can tell of."""
    by_name = {(each.scenario, each.contestant): each for each in all_series}
    certain = not is_disturbed(all_series)
    for goal in (*_single(by_name), *_batch(by_name)):
        yield goal if "CPU" in goal.text else attrs.evolve(goal, certain=certain)


def _batch(by_name: Mapping[tuple[str, str], Series]) -> Iterator[Goal]:
    batch = by_name.get((BATCH, "gateway"))
    if batch is None:
        return
    for name, text, least, aim in (
        ("null", "batch: events/s over the null store's", 0.45, 0.6),
        ("fastapi", "batch: events/s over FastAPI + SQLAlchemy", 12.0, 20.0),
    ):
        other = by_name.get((BATCH, name))
        if other is not None:
            yield Goal(text, batch.events_over(other), least, aim, beside=_rates(batch, other))
    for (scenario, name), each in by_name.items():
        if scenario == BATCH and name.startswith("gateway x"):
            beside = f"load generator {each.load_share:.0%} of a core; {_rates(each, batch)}"
            yield Goal(f"batch: events/s, {name} over one", each.events_over(batch), 1.2, 1.6, beside=beside)
    core = by_name.get((SINGLE, CALIBRATION))
    if core is not None:
        beside = f"here {batch.events_per_second:,.0f} events/s beside {core.requests_per_second:,.0f} bare requests/s"
        scaled = batch.events_over(core).times(CORE)
        yield Goal(f"batch: events/s on a core of {CORE:,} bare requests/s", scaled, 30_000, beside=beside)


def _single(by_name: Mapping[tuple[str, str], Series]) -> Iterator[Goal]:
    bare, single = by_name.get((SINGLE, "bare")), by_name.get((SINGLE, "gateway"))
    if bare is None or single is None:
        return
    spent = f"{single.cpu_per_request:.0f} us over {bare.cpu_per_request:.0f}"
    tails = f"all rounds pooled: {single.latency(0.99) / 1000:.1f} ms over {bare.latency(0.99) / 1000:.1f}"
    yield Goal("single event: CPU over the bare handler's", single.over(bare, cpu), 2.0, 1.6, True, spent)
    yield Goal("single event: CPU, as first asked", single.over(bare, cpu), 2.2, is_ceiling=True)
    yield Goal("single event: requests/s over bare", single.over(bare, rate), 0.5, 0.65, beside=_rates(single, bare))
    yield Goal("single event: p99 over bare", single.over(bare, p99), 3.0, 2.0, True, tails)


def _rates(ours: Series, theirs: Series) -> str:
    return f"{ours.events_per_second:,.0f} over {theirs.events_per_second:,.0f}"
