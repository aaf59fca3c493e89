"""`gateway events tail`: events as they are stored, as JSON or one readable line each."""

import asyncio
import contextlib
import select
import sys
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import click

from gateway.cli.events.filters import event_filter, filter_options
from gateway.cli.events.short import ShortLines
from gateway.cli.options import store_option
from gateway.storage import read
from gateway.storage.read import EventFilter, LogReader, Position
from gateway.storage.store import Store

TAIL_SECONDS = 0.25


@click.command(short_help="Print events as they are stored.")
@store_option
@click.option("-n", "most", type=click.IntRange(0), metavar="N", help="Begin with the last N events.")
@click.option("--short", is_flag=True, help="One readable line: time, project, dialect, type, name, person.")
@filter_options
async def tail(store: Store, most: int | None, short: bool, **conditions: Any) -> None:
    """Print events as they are stored, until stopped by Ctrl-C.

    Begins with those that are yet to come; with -n before them the last N, with --since all since then.
    """
    with contextlib.suppress(asyncio.CancelledError):  # by Ctrl-C
        async with store.log() as reader:
            where = await event_filter(store, **conditions)
            await _tail(reader, most, where, ShortLines().show if short else _print)


async def _tail(
    reader: LogReader, most: int | None, where: EventFilter, show: Callable[[Iterable[bytes]], None]
) -> None:
    start: Position | None = None
    if most is not None or where.since is None:
        start = await reader.newest()
        show(await read.last_events(reader, most or 0, start, where))
    async for page in read.follow(reader, start, where, _pause()):
        show(page.lines)


def _pause() -> Callable[[], Awaitable[bool]]:
    """Return what waits between two looks at the log, and returns False once nobody reads standard output."""
    reading = select.poll()
    reading.register(sys.stdout.fileno(), 0)  # poll() reports without being asked that a pipe's reader is gone

    async def pause() -> bool:
        if reading.poll(0):
            return False
        await asyncio.sleep(TAIL_SECONDS)
        return True

    return pause


def _print(lines: Iterable[bytes]) -> None:
    sys.stdout.buffer.write(b"".join([line + b"\n" for line in lines]))
    sys.stdout.flush()
