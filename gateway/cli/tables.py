"""Tables and progress bars for people. The only importer of rich. JSON for scripts never passes through here.

rich is imported by what prints with it: it takes a tenth of the time that a command needs to start.
"""

import contextlib
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

import attrs

from gateway.cli.output.streams import unescaped
from gateway.printable import printable, printable_lines

if TYPE_CHECKING:
    from rich.text import Text

Thing = TypeVar("Thing")
PIPE_WIDTH = 400  # columns: for a file or a pipe rich would assume 80, and fold the rows


def show(columns: Sequence[str], rows: Iterable[Sequence[str]], whole: Collection[str] = ()) -> None:
    """Print a table. Cells are plain text: rich's markup in them is printed as it is, and so is no client's command.

    Where a terminal is too narrow, columns stand closer, and then cells go on in the next line, but for those of the
    columns in `whole`.
    """
    from rich import box
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [[printable_lines(cell) for cell in row] for row in rows]
    out = unescaped(sys.stdout)
    console = Console(file=out, width=None if out.isatty() else PIPE_WIDTH, highlight=False)
    roomy = sum(max(map(cell_len, each)) + 3 for each in zip(columns, *cells, strict=True)) <= console.width
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=roomy, padding=(0, 1) if roomy else 0)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in whole)
    for row in cells:
        table.add_row(*map(Text, row))
    console.print(table)
    out.flush()


@attrs.frozen
class Cell:
    """A text, the width of its column in characters, and rich's name for how it looks on a terminal."""

    text: str
    width: int
    style: str = ""


class Lines:
    """Prints rows one after the other on standard output, for a stream that does not end.

    On a terminal a text that is longer than its column is cut, and so is a line that is longer than the terminal. Into
    a file or a pipe texts are written whole, and without colours. No client's command is obeyed in either.
    """

    def __init__(self) -> None:
        from rich.console import Console

        self._out = unescaped(sys.stdout)
        self._console = Console(file=self._out, highlight=False) if self._out.isatty() else None

    @property
    def width(self) -> int | None:
        """How many characters a line of the terminal has now; None if standard output is none."""
        return None if self._console is None else self._console.width

    def show(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Print rows, so that they are seen at once."""
        from rich.text import Text

        for row in rows:
            if self._console is None:
                self._out.write(" ".join([printable(cell.text).ljust(cell.width) for cell in row]).rstrip() + "\n")
            else:
                self._console.print(Text(" ").join([_fitted(cell) for cell in row]), no_wrap=True, overflow="crop")
        self._out.flush()


def _fitted(cell: Cell) -> "Text":
    from rich.text import Text

    text = Text(printable(cell.text[: cell.width * 2]), cell.style)
    text.truncate(cell.width, overflow="ellipsis", pad=True)
    return text


def progress(things: Sequence[Thing], doing: str) -> Iterable[Thing]:
    """Yield the things, with a progress bar on stderr if that is a terminal."""
    from rich.console import Console
    from rich.progress import track

    return track(
        things, doing, console=Console(file=unescaped(sys.stderr)), transient=True, disable=not sys.stderr.isatty()
    )


class Count(Protocol):
    """What is told how many events are done, and which share of all that is, from 0 to 1, where it is known."""

    def __call__(self, events: int, share: float | None = None) -> None:
        """Show it."""


@contextlib.contextmanager
def counting(doing: str) -> Iterator[Count]:
    """Yield what is told how many events are done, and shows it on stderr if that is a terminal."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn

    told = doing + " {task.completed:,.0f} events{task.fields[share]}, {task.fields[speed]:,.0f} a second"
    columns = (SpinnerColumn(), TextColumn(told))
    console = Console(file=unescaped(sys.stderr))
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as shown:
        task = shown.add_task(doing, total=None, speed=0, share="")

        def count(events: int, share: float | None = None) -> None:
            elapsed = shown.tasks[0].elapsed or 0
            text = "" if share is None else f" ({share:.0%})"
            shown.update(task, completed=events, speed=events / elapsed if elapsed else 0, share=text)

        yield count


def show_wide(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table of many columns. On a terminal that is too narrow for it, each row is a block of lines instead.

    So nothing is folded that a person may want to copy, such as an id.
    """
    from rich.cells import cell_len
    from rich.console import Console

    out = unescaped(sys.stdout)
    width = sum(max(map(cell_len, each)) + 2 for each in zip(columns, *rows, strict=True))
    if not out.isatty() or width <= Console(file=out).width:
        show(columns, rows)
        return
    names = max(map(len, columns)) + 2
    for row in rows:
        shown = [(name, printable_lines(cell)) for name, cell in zip(columns, row, strict=True) if cell]
        out.write("\n".join([f"{name:<{names}}{cell}" for name, cell in shown]) + "\n\n")
    out.flush()


def moment(millis: int) -> str:
    """Return milliseconds since the epoch as RFC 3339 in UTC, to the second: `2026-01-02T03:04:05Z`."""
    return datetime.fromtimestamp(millis / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
