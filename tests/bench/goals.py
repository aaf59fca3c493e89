"""The ratios that were promised, and what this run measured of them, in the order of the promises. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

import attrs

from tests.bench.backup import BackedUp
from tests.bench.console import Opening, Watched
from tests.bench.days import Days
from tests.bench.growth import Growth
from tests.bench.keeping import Kept
from tests.bench.machine_costs import Costs
from tests.bench.rounds import CALIBRATION
from tests.bench.slices import Series, cpu, p99, rate
from tests.bench.spread import Spread, ratios, spread

SINGLE = "databuddy-single"
BATCH = "tranthor-batch"
FLAT = "databuddy-batch"
GROWTH = "growth"
DAYS = "days"
CONSOLE = "console"
BACKUP = "backup"
CORE = 20_000  # bare requests/s of the core that the promise of batches was made for
BARE = 31.0  # CPU us of a bare request, on the machine that promises in microseconds and in events/s were made for
CONNECTIONS = 64
MEMORY = 200e6 / 2**20  # MiB: 200 MB
_ON_THE_CORE = f"where bare takes {BARE:.0f} us"
GROWN = 9_000_000  # promises "at ten million" are held from here: the last chunk begins below


@attrs.frozen
class Goal:
    """One promise: `least` must be reached, `aim` is better; a figure without a promise has neither.

    `is_ceiling` says that less is better. `beside` is what a reader must know with it, `machine` what the machine took
    for a bare request, a system call, ... then. One that is not `certain` compares rates or latencies of a run in which
    others used the cores: who waits for a disk then loses less.
    """

    text: str
    measured: Spread
    least: float | None = None
    aim: float | None = None
    is_ceiling: bool = False
    beside: str = ""
    certain: bool = True
    machine: str = ""

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
    """All that a run measured: the scenarios, what the gateway of the scenarios kept, and a growth if there was one.

    `costs` are the machine's, by scenario and for GROWTH.
    """

    all_series: Sequence[Series]
    kept: Kept | None = None
    growth: Growth | None = None
    costs: Mapping[str, Costs] = attrs.Factory(dict)
    days: Days | None = None
    opening: Opening | None = None
    watched: Watched | None = None
    backed_up: BackedUp | None = None

    def series(self, scenario: str, contestant: str) -> Series | None:
        found = [each for each in self.all_series if (each.scenario, each.contestant) == (scenario, contestant)]
        return found[0] if found else None

    def machine(self, scenario: str) -> str:
        """Return what the machine took while a scenario was measured."""
        bare = self.series(scenario, CALIBRATION) or self.series(scenario, "bare")
        parts = [f"bare {bare.cpu_per_request:.0f} us"] if bare is not None else []
        if scenario == GROWTH and self.growth is not None:
            parts.append(f"bare {median(point.bare_per_second for point in self.growth.points):,.0f} requests/s")
        parts += [str(self.costs[scenario])] if scenario in self.costs else []
        return ", ".join(parts)


def goals(measured: Measured) -> Iterator[Goal]:
    """Yield the promises that this run can tell of."""
    yield from _of(measured, SINGLE, _single(measured))
    yield from _of(measured, FLAT, _flat(measured))
    yield from _of(measured, BATCH, _batch(measured))
    for scenario in (SINGLE, BATCH, FLAT):
        yield from _of(measured, scenario, _workers(measured, scenario))
    if measured.growth is not None:
        yield from _of(measured, GROWTH, _growth(measured.growth))
    kept = measured.growth.kept if measured.growth is not None else measured.kept
    if kept is not None:
        yield from _of(measured, SINGLE if measured.growth is None else GROWTH, _kept(kept))
    if measured.days is not None:
        yield from _of(measured, DAYS, _days(measured.days))
    if measured.opening is not None:
        yield from _of(measured, DAYS, _opening(measured.opening))
    if measured.watched is not None:
        yield from _of(measured, CONSOLE, _watched(measured.watched))
    if measured.backed_up is not None:
        yield from _of(measured, BACKUP, _backed_up(measured.backed_up))


def _of(measured: Measured, scenario: str, found: Iterator[Goal]) -> Iterator[Goal]:
    machine = measured.machine(scenario)
    return (attrs.evolve(goal, machine=machine) for goal in found)


def _single(measured: Measured) -> Iterator[Goal]:
    bare, single = measured.series(SINGLE, "bare"), measured.series(SINGLE, "gateway")
    if bare is None or single is None:
        return
    spent, certain = f"{single.cpu_per_request:.0f} us over {bare.cpu_per_request:.0f}", single.is_certain_with(bare)
    yield Goal("single event: CPU over the bare handler's", single.over(bare, cpu), 2.3, 2.0, True, spent)
    text, rates = "single event: requests/s over the bare handler's", _rates(single, bare)
    yield Goal(text, single.over(bare, rate), 0.5, 0.65, beside=rates, certain=certain)
    ours, theirs = single.latency(0.99) / 1000, bare.latency(0.99) / 1000
    within = single.over(bare, p99)
    beside = f"all rounds pooled: {ours:.1f} ms over {theirs:.1f}; median of the rounds' own {within.middle:.2f}"
    text = f"single event: p99 over the bare handler's, {CONNECTIONS} connections"
    yield Goal(text, Spread(within.low, ours / theirs, within.high), 2.0, None, True, beside, certain)


def _flat(measured: Measured) -> Iterator[Goal]:
    flat, bare = measured.series(FLAT, "gateway"), measured.series(FLAT, CALIBRATION)
    if flat is not None and bare is not None:
        scaled = flat.over(bare, cpu).times(BARE / flat.items)
        beside = f"here {flat.cpu_per_event:.1f} us"
        yield Goal(f"Databuddy batch: CPU us an event {_ON_THE_CORE}", scaled, 18.0, 14.0, True, beside)


def _batch(measured: Measured) -> Iterator[Goal]:
    batch = measured.series(BATCH, "gateway")
    if batch is None:
        return
    for name, text, least, aim in (
        ("null", "batch: events/s over the null store's", 0.45, 0.6),
        ("fastapi", "batch: events/s over FastAPI + SQLAlchemy", 12.0, 20.0),
    ):
        other = measured.series(BATCH, name)
        if other is not None:
            beside, certain = _rates(batch, other), batch.is_certain_with(other)
            yield Goal(text, batch.events_over(other), least, aim, beside=beside, certain=certain)
    core = measured.series(BATCH, CALIBRATION)
    if core is not None:
        alike = f"{batch.events_per_second:,.0f} events/s beside {core.requests_per_second:,.0f} bare requests/s"
        beside = f"here {alike}; by CPU alone {batch.events_of(core).times(CORE).middle:,.0f}"
        scaled = batch.events_over(core).times(CORE)
        text = f"batch: events/s on a core of {CORE:,} bare requests/s"
        yield Goal(text, scaled, 30_000, beside=beside, certain=batch.is_certain_with(core))


def _workers(measured: Measured, scenario: str) -> Iterator[Goal]:
    one = measured.series(scenario, "gateway")
    for each in measured.all_series:
        if one is not None and each.scenario == scenario and each.contestant.startswith("gateway x"):
            name = "single event" if each.items == 1 else f"{scenario.removesuffix('-batch').title()} batch"
            spent = f"{each.cpu_per_event:.1f} us over {one.cpu_per_event:.1f}"
            yield Goal(
                f"{name}: CPU an event, {each.contestant} over one", each.over(one, cpu), 1.25, None, True, spent
            )
            if scenario == BATCH:
                beside = f"load generator {each.load_share:.0%} of a core; {_rates(each, one)}"
                certain = each.is_certain_with(one)
                text = f"batch: events/s, {each.contestant} over one"
                yield Goal(text, each.events_over(one), 1.2, 1.6, beside=beside, certain=certain)


def _growth(growth: Growth) -> Iterator[Goal]:
    stored = growth.points[-1].stored
    text = f"batch: rate at {stored / 1e6:.1f} million stored events over that at {growth.start / 1e6:.1f} million"
    beside = (
        f"side by side: {_rates(growth.grown, growth.fresh)}; CPU an event {growth.cost.middle:.2f} times; "
        f"while it grew, over the bare handler's: {growth.along:.2f} times"
    )
    yield Goal(text, growth.rate, 0.5, 0.9, beside=beside, certain=growth.grown.is_certain_with(growth.fresh))
    if growth.memory_late is not None:
        beside = f"{_mebibytes(growth.memory_late)} over {_mebibytes(growth.memory_early)}"
        text, value = "memory after a million events over that after 10,000", growth.memory_late / growth.memory_early
        yield Goal(text, _one(value), 1.2, 1.05, True, beside)
    is_grown = stored >= GROWN
    text = f"memory after {stored / 1e6:.1f} million events, MiB"
    yield Goal(text, _one(growth.kept.memory / 2**20), 130 if is_grown else None, is_ceiling=True)
    text, restart = "start after a kill, seconds", growth.restart
    beside = f"{restart.cpu:.2f} s of CPU, at {restart.stored:,} events"
    yield Goal(text, _one(restart.seconds), 2.0 if is_grown else None, None, True, beside)


def _kept(kept: Kept) -> Iterator[Goal]:
    beside = f"here {kept.exported.middle:,.0f} of {kept.events:,} stored"
    yield Goal(f"export: events/s {_ON_THE_CORE}", kept.per_bare.times(1e6 / BARE), 770_000, beside=beside)
    yield Goal("bytes on disk an event", _one(kept.disk / kept.events), beside=f"{kept.disk / 2**20:,.0f} MiB in all")


def _days(days: Days) -> Iterator[Goal]:
    millions = f"{days.events / 1e6:.1f} million events"
    least = 1.0 if days.events >= GROWN else None
    beside = f"{days.found:,} events, with the start of the command"
    yield Goal(f"export of one day of {millions}, seconds", days.day, least, None, True, beside)
    yield Goal("the same of the events of one name, seconds", days.named, least, None, True)
    yield Goal("lag of `events tail`, seconds", days.lag, is_ceiling=True, beside="from an answer to the event's line")


def _opening(opening: Opening) -> Iterator[Goal]:
    text = f"the console's overview at {opening.events / 1e6:.1f} million events, seconds"
    least = 0.5 if opening.events >= GROWN else None
    yield Goal(text, opening.later, least, None, True, f"the first time {opening.first:.2f}")


def _watched(watched: Watched) -> Iterator[Goal]:
    for text, figure, least in (
        ("single event: p99 with the console open and a tail, over without", p99, 1.25),
        ("single event: CPU of serve with the console open and a tail, over without", cpu, 1.05),
    ):
        ours, theirs = (median(map(figure, each.values())) for each in (watched.watched, watched.alone))
        within = spread(ratios(watched.watched, watched.alone, figure))
        yield Goal(text, within, least, None, True, f"{ours:,.0f} us over {theirs:,.0f}")
    yield Goal("memory of serve and its console at rest, MiB", _one(watched.memory / 2**20), MEMORY, None, True)


def _backed_up(backed_up: BackedUp) -> Iterator[Goal]:
    millions = f"{backed_up.events / 1e6:.1f} million events"
    beside = f"{backed_up.at_rest:,.0f} at rest; {_mebibytes(backed_up.size)} become {_mebibytes(backed_up.file)}"
    yield Goal(f"backup of {millions} while serving: MB of events.db a second", backed_up.speed, beside=beside)
    ours, theirs = (median(map(p99, each.values())) for each in (backed_up.beside, backed_up.alone))
    within = spread(ratios(backed_up.beside, backed_up.alone, p99))
    text = "single event: p99 while backups are made, over without"
    yield Goal(text, within, is_ceiling=True, beside=f"{ours:,.0f} us over {theirs:,.0f}")


def _one(value: float) -> Spread:
    return Spread(value, value, value)


def _rates(ours: Series, theirs: Series) -> str:
    return f"{ours.events_per_second:,.0f} over {theirs.events_per_second:,.0f}"


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB"
