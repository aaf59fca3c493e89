"""Tables for people; the only importer of rich. What a script reads is JSON and never comes through here."""

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

Thing = TypeVar("Thing")
WIDE = 400  # into a file or a pipe: rich would take 80 columns and fold


def show(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; cells are text as it is, without rich's markup."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*[Text(cell) for cell in row])
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDE, highlight=False)
    console.print(table)


def progress(things: Sequence[Thing], doing: str) -> Iterable[Thing]:
    """Yield the things, and show on stderr how far it is, where a person looks at it."""
    return track(things, doing, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())


def moment(millis: int) -> str:
    """Return milliseconds since the epoch as a person reads a time, in UTC."""
    return datetime.fromtimestamp(millis / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
