"""The ratios that were promised, and what this run measured of them, in the order of the promises. Pure."""

from collections.abc import Iterator, Mapping, Sequence

import attrs

from tests.bench.growth import Growth
from tests.bench.keeping import Kept
from tests.bench.rounds import CALIBRATION
from tests.bench.slices import Series, cpu, p99, rate
from tests.bench.spread import Spread

SINGLE = "databuddy-single"
BATCH = "tranthor-batch"
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


@attrs.frozen
class Measured:
    """All that a run measured: the scenarios, what the gateway of the scenarios kept, and a growth if there was one."""

    all_series: Sequence[Series]
    kept: Kept | None = None
    growth: Growth | None = None


def goals(measured: Measured) -> Iterator[Goal]:
    """Yield the promises that this run can tell of."""
    by_name = {(each.scenario, each.contestant): each for each in measured.all_series}
    batch = by_name.get((BATCH, "gateway"))
    core = by_name.get((SINGLE, CALIBRATION))
    yield from _single(by_name)
    if batch is not None:
        yield from _batch(by_name, batch)
    if measured.growth is not None:
        yield _flat(measured.growth)
    yield from _tail(by_name)
    if measured.growth is not None:
        yield from _memory(measured.growth)
    kept = measured.growth.kept if measured.growth is not None else measured.kept
    if kept is not None:
        yield from _kept(kept)
    yield from _first_asked(by_name)
    if batch is not None and core is not None:
        alike = f"{batch.events_per_second:,.0f} events/s beside {core.requests_per_second:,.0f} bare requests/s"
        beside = f"here {alike}; by CPU alone {batch.events_of(core).times(CORE).middle:,.0f}"
        scaled = batch.events_over(core).times(CORE)
        text = f"batch: events/s on a core of {CORE:,} bare requests/s"
        yield Goal(text, scaled, 30_000, beside=beside, certain=batch.is_certain_with(core))


def _single(by_name: Mapping[tuple[str, str], Series]) -> Iterator[Goal]:
    bare, single = by_name.get((SINGLE, "bare")), by_name.get((SINGLE, "gateway"))
    if bare is not None and single is not None:
        spent = f"{single.cpu_per_request:.0f} us over {bare.cpu_per_request:.0f}"
        yield Goal("single event: CPU over the bare handler's", single.over(bare, cpu), 2.0, 1.6, True, spent)
        text, rates = "single event: requests/s over the bare handler's", _rates(single, bare)
        yield Goal(text, single.over(bare, rate), 0.5, 0.65, beside=rates, certain=single.is_certain_with(bare))


def _batch(by_name: Mapping[tuple[str, str], Series], batch: Series) -> Iterator[Goal]:
    for name, text, least, aim in (
        ("null", "batch: events/s over the null store's", 0.45, 0.6),
        ("fastapi", "batch: events/s over FastAPI + SQLAlchemy", 12.0, 20.0),
    ):
        other = by_name.get((BATCH, name))
        if other is not None:
            yield Goal(
                text,
                batch.events_over(other),
                least,
                aim,
                beside=_rates(batch, other),
                certain=batch.is_certain_with(other),
            )
    for (scenario, name), each in by_name.items():
        if scenario == BATCH and name.startswith("gateway x"):
            beside = f"load generator {each.load_share:.0%} of a core; {_rates(each, batch)}"
            text = f"batch: events/s, {name} over one"
            yield Goal(text, each.events_over(batch), 1.2, 1.6, beside=beside, certain=each.is_certain_with(batch))


def _flat(growth: Growth) -> Goal:
    stored = growth.points[-1].stored
    text = f"batch: rate at {stored / 1e6:.1f} million stored events over that at {growth.start / 1e6:.1f} million"
    beside = (
        f"side by side: {_rates(growth.grown, growth.fresh)}; CPU an event {growth.cost.middle:.2f} times; "
        f"while it grew, over the bare handler's: {growth.along:.2f} times"
    )
    return Goal(text, growth.rate, 0.5, 0.9, beside=beside, certain=growth.grown.is_certain_with(growth.fresh))


def _tail(by_name: Mapping[tuple[str, str], Series]) -> Iterator[Goal]:
    bare, single = by_name.get((SINGLE, "bare")), by_name.get((SINGLE, "gateway"))
    if bare is not None and single is not None:
        beside = f"all rounds pooled: {single.latency(0.99) / 1000:.1f} ms over {bare.latency(0.99) / 1000:.1f}"
        text = "single event: p99 over the bare handler's, 64 connections"
        yield Goal(text, single.over(bare, p99), 3.0, 2.0, True, beside, single.is_certain_with(bare))


def _memory(growth: Growth) -> Iterator[Goal]:
    if growth.memory_late is not None:
        beside = (
            f"{_mebibytes(growth.memory_late)} over {_mebibytes(growth.memory_early)}; "
            f"{_mebibytes(growth.points[-1].memory)} after {growth.points[-1].stored:,}"
        )
        text, value = "memory after a million events over that after 10,000", growth.memory_late / growth.memory_early
        yield Goal(text, Spread(value, value, value), 1.2, 1.05, True, beside)


def _kept(kept: Kept) -> Iterator[Goal]:
    scaled = kept.per_bare.middle * CORE
    beside = f"of {kept.events:,} stored; {scaled:,.0f} on a core of {CORE:,} bare requests/s"
    yield Goal("export: events/s", kept.exported, 150_000, 300_000, beside=beside)
    size = kept.disk / kept.events
    yield Goal("bytes on disk an event", Spread(size, size, size), beside=f"{kept.disk / 2**20:,.0f} MiB in all")


def _first_asked(by_name: Mapping[tuple[str, str], Series]) -> Iterator[Goal]:
    bare, single = by_name.get((SINGLE, "bare")), by_name.get((SINGLE, "gateway"))
    if bare is not None and single is not None:
        text = "single event: CPU over the bare handler's, as first asked"
        yield Goal(text, single.over(bare, cpu), 2.2, is_ceiling=True)


def _rates(ours: Series, theirs: Series) -> str:
    return f"{ours.events_per_second:,.0f} over {theirs.events_per_second:,.0f}"


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB"
