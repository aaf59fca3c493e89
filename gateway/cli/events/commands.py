"""`gateway events`: read the log. Events are printed byte for byte as they were stored; nothing is parsed."""

import asyncio
import contextlib
import select
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click
import orjson

from gateway.cli.events.filters import event_filter, filter_options, position_of
from gateway.cli.events.retranslate import retranslate
from gateway.cli.options import GivenPath, format_option, store_option
from gateway.cli.outcomes import counts
from gateway.cli.output.target import target
from gateway.storage import read
from gateway.storage.read import EventFilter, LogReader, Page, Position
from gateway.storage.store import Store

TAIL_SECONDS = 0.25


def jsonl(page: Page, with_position: bool) -> bytes:
    """Return events as JSON lines, each with its position as first member if asked: `{"position":7,"project":...`."""
    if not with_position:
        return page.text
    return b"\n".join([b'{"position":%b,%b' % (orjson.dumps(position), line[1:]) for position, line in page.events])


FORMATS: Mapping[str, Callable[[Page, bool], bytes]] = {"jsonl": jsonl}


@click.group(short_help="Read stored events.")
def events() -> None:
    """Read stored events: export, follow or count them.

    A TIME is RFC 3339 (2026-01-02T03:04:05Z) or an age (30m, 24h, 7d), and means when the gateway received an event.
    """


@events.command(short_help="Print stored events.")
@store_option
@click.option("--after", metavar="POSITION", help="Only events after this position.")
@filter_options
@format_option(*FORMATS)
@click.option("--with-position", is_flag=True, help="Add a `position` to each event, and say the last one on stderr.")
@click.option(
    "--output",
    type=GivenPath(path_type=Path),
    help="Write to this file, which appears when it is complete; - is standard output.",
)
async def export(
    store: Store, after: str | None, form: str, with_position: bool, output: Path | None, **conditions: Any
) -> None:
    """Print stored events as canonical JSON, one per line. A server may be running on the directory.

    With --after or --with-position, the position to go on from is printed on standard error at the end. A later export
    --after it has only what came in since.
    """
    render = FORMATS[form]
    cursor: Position | None = None
    async with store.log() as reader:
        where = await event_filter(store, **conditions)
        start = position_of(reader, after)
        with target(output, store.directory) as write:
            async for page in read.export(reader, start, where):
                if page.positions:
                    write(render(page, with_position))
                    write(b"\n")
                cursor = page.cursor
    if with_position or after is not None:
        click.echo(f"last position: {cursor}", err=True)


@events.command(short_help="Print events as they are stored.")
@store_option
@click.option("-n", "most", type=click.IntRange(0), metavar="N", help="Begin with the last N events.")
@filter_options
async def tail(store: Store, most: int | None, **conditions: Any) -> None:
    """Print events as they are stored, until stopped by Ctrl-C.

    Begins with those that are yet to come; with -n before them the last N, with --since all since then.
    """
    with contextlib.suppress(asyncio.CancelledError):  # by Ctrl-C
        async with store.log() as reader:
            where = await event_filter(store, **conditions)
            await _tail(reader, most, where)


@events.command(short_help="Print the number of stored events.")
@store_option
@filter_options
async def count(store: Store, **conditions: Any) -> None:
    """Print the number of stored events."""
    async with store.log() as reader:
        where = await event_filter(store, **conditions)
        number = await reader.count(where)
    click.echo(number)


async def _tail(reader: LogReader, most: int | None, where: EventFilter) -> None:
    reading = select.poll()
    reading.register(sys.stdout.fileno(), 0)  # poll() reports without being asked that a pipe's reader is gone

    async def pause() -> bool:
        if reading.poll(0):
            return False
        await asyncio.sleep(TAIL_SECONDS)
        return True

    start: Position | None = None
    if most is not None or where.since is None:
        start = await reader.newest()
        _print(await read.last_events(reader, most or 0, start, where))
    async for page in read.follow(reader, start, where, pause):
        _print(page.lines)


def _print(lines: Iterable[bytes]) -> None:
    sys.stdout.buffer.write(b"".join([line + b"\n" for line in lines]))
    sys.stdout.flush()


events.add_command(counts)
events.add_command(retranslate)
