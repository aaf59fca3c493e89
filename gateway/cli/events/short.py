"""One readable line an event, for `gateway events tail --short`."""

from collections.abc import Iterable

from gateway.cli.tables import Cell, Lines
from gateway.operate.events.summary import EventSummary, summary

TIME, PROJECT, DIALECT, TYPE = 20, 10, 9, 8
"""The widths of the columns, in characters. On a terminal a longer project or dialect is cut."""
LEAST = 8
"""What the name and the person have at least, however narrow the terminal is."""
NAME_IN_PIPE = 24


class ShortLines:
    """Prints events on standard output, a line each: as wide as the terminal, or whole into a file or a pipe."""

    def __init__(self) -> None:
        self._lines = Lines()

    def show(self, lines: Iterable[bytes]) -> None:
        """Print events, given as their lines of JSON."""
        width = self._lines.width
        self._lines.show([cells(summary(line), width) for line in lines])


def cells(event: EventSummary, width: int | None) -> list[Cell]:
    """Return an event's cells for a terminal of so many columns; None is a file or a pipe. Pure."""
    rest = NAME_IN_PIPE * 2 if width is None else width - sum((TIME, PROJECT, DIALECT, TYPE)) - 5
    name = max(LEAST, rest // 2)
    return [
        Cell(event.time, TIME, "dim"),
        Cell(event.project, PROJECT),
        Cell(event.dialect, DIALECT, "cyan"),
        Cell(event.type, TYPE, "dim"),
        Cell(event.name or "-", name, "bold"),
        Cell(event.person or "-", max(LEAST, rest - name)),
    ]
