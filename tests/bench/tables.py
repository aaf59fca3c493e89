"""A table as a value, shown on a terminal and written as Markdown. It knows nothing of what is measured."""

import attrs
from rich.console import Console
from rich.table import Table as Rich


@attrs.frozen
class Table:
    """A title, headings and rows of texts; the first column names the row, and the last `notes` columns are prose."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: int = 0


def show(console: Console, table: Table) -> None:
    """Print a table."""
    rich = Rich(title=table.title, title_justify="left")
    for index, heading in enumerate(table.headings):
        rich.add_column(heading, justify="left" if _is_prose(table, index) else "right")
    for row in table.rows:
        rich.add_row(*row)
    console.print(rich)


def markdown(table: Table) -> str:
    """Return a table as Markdown."""
    rule = "|".join([" --- " if _is_prose(table, index) else " ---: " for index in range(len(table.headings))])
    lines = [f"| {' | '.join(cells)} |" for cells in (table.headings, *table.rows)]
    return "\n".join([f"## {table.title}", "", lines[0], f"|{rule}|", *lines[1:], ""])


def _is_prose(table: Table, index: int) -> bool:
    return index == 0 or index >= len(table.headings) - table.notes
