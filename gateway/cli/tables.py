"""Tables and progress bars for people. The only importer of rich. JSON for scripts never passes through here."""

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from rich import box
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, track
from rich.table import Table
from rich.text import Text

from gateway.cli.output.streams import unescaped
from gateway.printable import printable_lines

Thing = TypeVar("Thing")
PIPE_WIDTH = 400  # columns: for a file or a pipe rich would assume 80, and fold the rows


def show(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table. Cells are plain text: rich's markup in them is printed as it is, and so is no client's command."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*[Text(printable_lines(cell)) for cell in row])
    out = unescaped(sys.stdout)
    console = Console(file=out, width=None if out.isatty() else PIPE_WIDTH, highlight=False)
    console.print(table)
    out.flush()


def progress(things: Sequence[Thing], doing: str) -> Iterable[Thing]:
    """Yield the things, with a progress bar on stderr if that is a terminal."""
    return track(
        things, doing, console=Console(file=unescaped(sys.stderr)), transient=True, disable=not sys.stderr.isatty()
    )


@contextlib.contextmanager
def counting(doing: str) -> Iterator[Callable[[int], None]]:
    """Yield what is told how many events are done, and shows it on stderr if that is a terminal."""
    console = Console(file=unescaped(sys.stderr))
    columns = (SpinnerColumn(), TextColumn(doing + " {task.completed:,.0f} events, {task.fields[speed]:,.0f} a second"))
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as shown:
        task = shown.add_task(doing, total=None, speed=0)

        def count(events: int) -> None:
            elapsed = shown.tasks[0].elapsed or 0
            shown.update(task, completed=events, speed=events / elapsed if elapsed else 0)

        yield count


def moment(millis: int) -> str:
    """Return milliseconds since the epoch as RFC 3339 in UTC, to the second: `2026-01-02T03:04:05Z`."""
    return datetime.fromtimestamp(millis / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
