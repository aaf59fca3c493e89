"""`gateway events export`: take the events of a log along, from a position on, in a format."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import click

from gateway.cli.events.filters import event_filter, filter_options, position_of
from gateway.cli.events.progress import progress
from gateway.cli.options import GivenPath, format_option, store_option
from gateway.cli.output.target import Write, is_terminal, target
from gateway.operate.formats.encoder import Encoder, FormatOptions
from gateway.operate.formats.formats import FORMATS
from gateway.storage import read
from gateway.storage.read import Page, Position
from gateway.storage.store import Store


@click.command(short_help="Print stored events.")
@store_option
@click.option("--after", metavar="POSITION", help="Only events after this position.")
@filter_options
@format_option(*FORMATS)
@click.option("--with-position", is_flag=True, help="Add a `position` to each event.")
@click.option(
    "--output",
    type=GivenPath(path_type=Path),
    help="Write to this file, which appears when it is complete; - is standard output.",
)
async def export(
    store: Store, after: str | None, form: str, with_position: bool, output: Path | None, **conditions: Any
) -> None:
    """Print stored events: as canonical JSON, one per line, as CSV or as Parquet. A server may be running.

    At the end, the position to go on from is printed on standard error. A later export --after it has only what came in
    since.
    """
    to_terminal = is_terminal(output)
    if FORMATS[form].is_binary and to_terminal:
        raise click.UsageError(f"{form} is nothing for a terminal: give --output FILE")
    async with store.log() as reader:
        where = await event_filter(store, **conditions)
        start = position_of(reader, after)
        place = type(await reader.newest()) if with_position else None
        encoder = FORMATS[form].make(FormatOptions(position=place, line_end="\n" if to_terminal else "\r\n"))
        with target(output, store.directory) as write:
            async with progress("exporting", reader, where, shown=not to_terminal) as tell:
                cursor = await _written(read.export(reader, start, where), encoder, write, tell)
    click.echo(f"last position: {cursor}", err=True)


async def _written(
    pages: AsyncIterator[Page], encoder: Encoder, write: Write, tell: Callable[[Page], None]
) -> Position | None:
    """Write all pages, and return the cursor of the last one."""
    cursor: Position | None = None
    write(encoder.start())
    async for page in pages:
        if page.positions:
            for block in encoder.encode(page):
                write(block)
        tell(page)
        cursor = page.cursor
    write(encoder.finish())
    return cursor
