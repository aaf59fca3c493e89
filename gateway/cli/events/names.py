"""`gateway events names`: which events there are, by project, dialect, type and name."""

import json
from typing import Any

import click

from gateway.cli.events.filters import event_filter, filter_options
from gateway.cli.events.progress import progress
from gateway.cli.options import json_option, store_option
from gateway.cli.tables import show
from gateway.operate.events.names import NameCount, NameCounts
from gateway.printable import printable
from gateway.storage import read
from gateway.storage.store import Store

MOST_SHOWN = 100
"""Characters of a name in the table."""
COLUMNS = ("project", "dialect", "type", "name", "events", "newest")


@click.command(short_help="Count stored events by name.")
@store_option
@filter_options
@json_option
async def names(store: Store, as_json: bool, **conditions: Any) -> None:
    """Count stored events by project, dialect, type and name, and say when the newest of each was received.

    A project's first 1,000 names are counted apart. Whatever other names clients make up is counted together, in a row
    for each dialect and type: `(all others)`, and with --json `"rest": true`.
    """
    counts = NameCounts()
    async with store.log() as reader:
        where = await event_filter(store, **conditions)
        async with progress("counting", reader, where) as tell:
            async for page in read.export(reader, where=where):
                counts.add(page)
                tell(page)
    if as_json:
        for each in counts.found():
            click.echo(json.dumps(_facts(each)))
        return
    show(COLUMNS, [_row(each) for each in counts.found()], whole=("dialect", "type", "events", "newest"))


def _facts(count: NameCount) -> dict[str, object]:
    named = {name: getattr(count, name) for name in COLUMNS}
    return {**named, "rest": True} if count.is_rest else named


def _short(name: str) -> str:
    """Return a name in one line, cut if it is very long: --json has it whole."""
    return printable(name if len(name) <= MOST_SHOWN else f"{name[:MOST_SHOWN]}…")


def _row(count: NameCount) -> list[str]:
    name = "(all others)" if count.is_rest else "-" if count.name is None else _short(count.name)
    newest = f"{count.newest[:19]}Z" if count.newest else "-"
    return [count.project, count.dialect, count.type, name, f"{count.events:,}", newest]
