"""`gateway events show`: all that is known of one event."""

import asyncio
import contextlib
import sys
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import click

from gateway.cli.names import check_project
from gateway.cli.options import config_option, store_option
from gateway.config import load
from gateway.ingest.registry import installed_by_name
from gateway.operate.events.details import GONE, Dialects, event_details, pretty_parts
from gateway.operate.events.rows import as_event
from gateway.operate.events.search import steps_back, time_at
from gateway.storage.read import EventFilter, LogReader, Position
from gateway.storage.records import Records
from gateway.storage.store import Store

SAY_EVERY = 2.0
"""Seconds after which a search on a terminal says how far it is."""


@click.command(short_help="Show one event.")
@click.argument("what", metavar="POSITION|MESSAGE_ID")
@store_option
@click.option("--project", help="Only an event of this project.")
@config_option
async def show(store: Store, what: str, project: str | None, config: Path | None) -> None:
    """Show an event with its receipt, and with its request and the answer where that is kept.

    It is looked for at the position; if there is none, by its message id. That has no index: the log is read from its
    end to its beginning, and every event of that id is shown. Ctrl-C stops the search.
    """
    await check_project(project, store, config)
    settings = load(config)
    dialects = cache(lambda: installed_by_name(settings.switches))
    async with store.log() as reader, store.records() as records:

        async def print_all(positions: Sequence[Position]) -> None:
            for position in positions:
                await _print(reader, records, dialects, position)

        found = await _at_position(reader, what, project)
        await print_all(found)
        count = len(found)
        if not found:
            await _refuse_gone(reader, what)
            where = EventFilter(message_id=what, project=project)
            last: Position | None = None
            said = time.monotonic()
            try:
                async for step in steps_back(reader, where):
                    await print_all([position for position, _ in step.events])
                    count += len(step.events)
                    last = step.cursor
                    if sys.stderr.isatty() and time.monotonic() - said >= SAY_EVERY:
                        click.echo(f"searched back to {await time_at(reader, last)}", err=True)
                        said = time.monotonic()
            except asyncio.CancelledError:  # by Ctrl-C
                until = None if last is None else await time_at(reader, last)
                click.echo(f"stopped; searched back to {until or 'the newest events'}", err=True)
                if not count:
                    raise click.exceptions.Exit(1) from None
                return
    if not count:
        raise click.ClickException(f"there is no event at the position, or with the message id, {what!r}")


async def _at_position(reader: LogReader, what: str, project: str | None) -> list[Position]:
    """Return the position if it is one that has an event, of the project if one is named."""
    try:
        position = reader.parse_position(what)
    except ValueError:
        return []
    return [place for place, line in await reader.at([position]) if project in (None, as_event(line).get("project"))]


async def _refuse_gone(reader: LogReader, what: str) -> None:
    """Raise ClickException on the position of an event that was removed."""
    with contextlib.suppress(ValueError):
        if await reader.is_gone(reader.parse_position(what)):
            raise click.ClickException(f"the event at position {what} {GONE}")


async def _print(reader: LogReader, records: Records, dialects: Dialects, position: Position) -> None:
    """Print an event, unless it was deleted just now."""
    details = await event_details(reader, records, dialects, position)
    if details is not None:
        for part in pretty_parts(details):
            click.echo(part, nl=False)
        click.echo()
