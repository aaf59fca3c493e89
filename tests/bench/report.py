"""Figures as tables. No measuring here."""

from collections.abc import Iterable, Sequence

from tests.bench.goals import Goal
from tests.bench.rounds import CALIBRATION
from tests.bench.slices import Series, cpu, p99
from tests.bench.spread import Spread
from tests.bench.tables import Table
from tests.bench.traffic import Scenario

HEADINGS = (
    "", "requests/s", "events/s", "CPU us/request", "CPU us/event", "p50 ms", "p99 ms",
    "CPU / bare", "events/s / bare", "p99 / bare", "server CPU", "load CPU", "calm rounds",
)  # fmt: skip
OF_EVENTS = (2, 4)  # the columns that say nothing new where a request is one event


def of_scenario(scenario: Scenario, compared: Sequence[Series]) -> Table:
    """Return one scenario's figures, a row for each contestant."""
    bare = next((each for each in compared if each.contestant == "bare"), None)
    title = f"{scenario.title}, {scenario.connections} connections"
    rows = [HEADINGS, *[_row(each, bare) for each in compared]]
    if scenario.items == 1:
        rows = [tuple(cell for index, cell in enumerate(row) if index not in OF_EVENTS) for row in rows]
    return Table(title, rows[0], tuple(rows[1:]))


def of_goals(goals: Iterable[Goal]) -> Table:
    """Return what was promised beside what was measured."""
    rows = tuple(
        (
            goal.text,
            _short(goal.measured.middle),
            quartiles(goal.measured),
            "" if goal.least is None else _short(goal.least),
            "" if goal.aim is None else _short(goal.aim),
            _verdict(goal),
            goal.beside,
            goal.machine,
        )
        for goal in goals
    )
    headings = ("", "measured", "half within", "required", "aim", "met", "beside it", "the machine then")
    return Table("Goals", headings, rows, notes=3)


def quartiles(values: Spread) -> str:
    """Return what half of the values lie within; nothing where there was one."""
    return "" if values.low == values.high else f"{_short(values.low)}–{_short(values.high)}"


def _row(each: Series, bare: Series | None) -> tuple[str, ...]:
    ratios = ("", "", "")
    if bare is not None and each is not bare and each.contestant != CALIBRATION:
        ratios = (
            _with_quartiles(each.over(bare, cpu)),
            _with_quartiles(each.events_over(bare)),
            _with_quartiles(each.over(bare, p99)),
        )
    return (
        each.contestant,
        f"{each.requests_per_second:,.0f}",
        f"{each.events_per_second:,.0f}",
        f"{each.cpu_per_request:,.1f}",
        f"{each.cpu_per_event:,.1f}",
        f"{each.latency(0.5) / 1000:.2f}",
        f"{each.latency(0.99) / 1000:.2f}",
        *ratios,
        f"{each.server_share:.0%}",
        f"{each.load_share:.0%}",
        each.calm,
    )


def _with_quartiles(values: Spread) -> str:
    within = quartiles(values)
    return f"{_short(values.middle)} ({within})" if within else _short(values.middle)


def _verdict(goal: Goal) -> str:
    if goal.least is None:
        return ""
    if not goal.certain:
        return "unsure"
    if not goal.is_met:
        return "NO"
    return "yes, the aim too" if goal.is_aim_met else "yes"


def _short(value: float) -> str:
    """Return three digits or so."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
