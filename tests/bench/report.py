"""Figures as tables, for the terminal and as Markdown. No measuring here."""

from collections.abc import Iterable, Sequence

import attrs
from rich.console import Console
from rich.table import Table as Rich

from tests.bench.goals import Goal
from tests.bench.rounds import Figures
from tests.bench.traffic import Scenario

HEADINGS = (
    "", "requests/s", "events/s", "CPU us/request", "CPU us/event", "p50 ms", "p99 ms",
    "CPU / bare", "rate / bare", "p99 / bare", "server CPU", "load CPU",
)  # fmt: skip


@attrs.frozen
class Table:
    """A title, headings and rows of texts; the first column names the row."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def of_scenario(scenario: Scenario, compared: Sequence[Figures]) -> Table:
    """Return one scenario's figures, a row for each contestant."""
    bare = next((each for each in compared if each.contestant == "bare"), None)
    title = f"{scenario.title}, {scenario.connections} connections"
    return Table(title, HEADINGS, tuple(_row(each, bare) for each in compared))


def of_goals(goals: Iterable[Goal]) -> Table:
    """Return what was promised beside what was measured."""
    rows = tuple(
        (goal.text, _short(goal.measured), _short(goal.least), _short(goal.aim), _verdict(goal)) for goal in goals
    )
    return Table("Goals", ("", "measured", "at least", "aim", "met"), rows)


def show(console: Console, table: Table) -> None:
    """Print a table."""
    rich = Rich(title=table.title, title_justify="left")
    for index, heading in enumerate(table.headings):
        rich.add_column(heading, justify="right" if index else "left")
    for row in table.rows:
        rich.add_row(*row)
    console.print(rich)


def markdown(table: Table) -> str:
    """Return a table as Markdown."""
    rule = "|".join([" --- "] + [" ---: "] * (len(table.headings) - 1))
    lines = [f"| {' | '.join(cells)} |" for cells in (table.headings, *table.rows)]
    return "\n".join([f"## {table.title}", "", lines[0], f"|{rule}|", *lines[1:], ""])


def _row(each: Figures, bare: Figures | None) -> tuple[str, ...]:
    ratios = ("", "", "")
    if bare is not None:
        ratios = (
            f"{each.cpu_per_request / bare.cpu_per_request:.2f}",
            f"{each.requests_per_second / bare.requests_per_second:.2f}",
            f"{each.p99 / bare.p99:.2f}",
        )
    return (
        each.contestant,
        f"{each.requests_per_second:,.0f}",
        f"{each.events_per_second:,.0f}",
        f"{each.cpu_per_request:,.1f}",
        f"{each.cpu_per_event:,.1f}",
        f"{each.p50 / 1000:.2f}",
        f"{each.p99 / 1000:.2f}",
        *ratios,
        f"{each.server_share:.0%}",
        f"{each.load_share:.0%}",
    )


def _verdict(goal: Goal) -> str:
    if not goal.certain:
        return "unsure"
    return "yes" if goal.is_met else "NO"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.2f}"
