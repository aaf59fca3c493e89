"""Reading a data directory's events through the contract of readers, from tests that are coroutines and from others."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from gateway.datadir import find
from gateway.storage import read
from gateway.storage.engines import open_store
from gateway.storage.read import EVERYTHING, EventFilter, LogReader, Position
from gateway.storage.sqlite.read.log import SqliteLogReader
from gateway.storage.store import Store

Result = TypeVar("Result")


@asynccontextmanager
async def reading(path: Path) -> AsyncIterator[LogReader]:
    """A reader of the log of a data directory."""
    reader = await SqliteLogReader.open(find(path))
    try:
        yield reader
    finally:
        await reader.close()


def stored_events(path: Path, where: EventFilter = EVERYTHING) -> list[tuple[Position, bytes]]:
    """Return the `(position, line)` of the events that are there."""
    return events_of(open_store(f"sqlite:{path}"), where)


def events_of(store: Store, where: EventFilter = EVERYTHING) -> list[tuple[Position, bytes]]:
    """Return the `(position, line)` of the events of a store."""

    async def events() -> list[tuple[Position, bytes]]:
        async with store.log() as reader:
            return [event async for page in read.export(reader, where=where) for event in page.events]

    return awaited(events())


def awaited(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end on a thread of its own: that of a coroutine has a loop already."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def stored_lines(path: Path) -> list[bytes]:
    """Return the lines of the events that are there, in the log's order."""
    return [line for _, line in stored_events(path)]
