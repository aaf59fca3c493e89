"""How the checks of the log's readers open a store, write to it and read it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs

from gateway.storage.contract import Entry, EventRow, Storage
from gateway.storage.read import EVERYTHING, EventFilter, LogReader, Position, export
from gateway.storage.store import StoreSettings
from gateway.testing.engine.given.entries import entry
from gateway.testing.engine.given.lines import START
from gateway.testing.engine.given.respelled import Respelled
from gateway.testing.engine.promise import ready_store
from gateway.testing.engine.under_test import EngineUnderTest


@attrs.frozen
class Log:
    """A store with room for any number of events, and a reader of it."""

    storage: Storage
    reader: LogReader


@asynccontextmanager
async def opened(engine: EngineUnderTest) -> AsyncIterator[Log]:
    """Open an empty store of an engine."""
    async with ready_store(engine) as store, store.storage(StoreSettings()) as storage, store.log() as reader:
        yield Log(storage, reader if engine.is_exact else Respelled(reader))


def of(*lines: bytes, at: int = START) -> Entry:
    """Return an entry with these events."""
    return attrs.evolve(entry(*[EventRow(each) for each in lines]), received_at=at)


async def read(
    reader: LogReader, where: EventFilter = EVERYTHING, after: Position | None = None
) -> list[tuple[Position, bytes]]:
    """Read all that is asked for."""
    return [event async for page in export(reader, after, where) for event in page.events]


async def lines_of(reader: LogReader, where: EventFilter = EVERYTHING) -> list[bytes]:
    """Return the lines of all that is asked for."""
    return [each for _, each in await read(reader, where)]


async def read_back(reader: LogReader, where: EventFilter = EVERYTHING) -> list[tuple[Position, bytes]]:
    """Read from the end to the beginning, and put it in order."""
    pages = []
    until, more = None, True
    while more:
        page = await reader.page_back(until, where)
        pages.append(list(page.events))
        until, more = page.cursor, page.more
    return [event for page in reversed(pages) for event in page]
