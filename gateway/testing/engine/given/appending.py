"""How the checks of appending see what was appended."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import attrs

from gateway.storage.contract import Storage
from gateway.storage.store import StoreSettings
from gateway.testing.engine.given.reading import lines_of, totals
from gateway.testing.engine.promise import ready_store
from gateway.testing.engine.under_test import EngineUnderTest


@attrs.frozen
class Log:
    """A Storage, and what there is in it: the lines of its events, and its counters summed by verdict."""

    storage: Storage
    bodies: Callable[[], Awaitable[list[bytes]]]
    counts: Callable[[], Awaitable[dict[str, int]]]


@asynccontextmanager
async def opened(engine: EngineUnderTest) -> AsyncIterator[Log]:
    """Open an empty store of an engine."""
    async with ready_store(engine) as store, store.storage(StoreSettings()) as storage:
        yield Log(storage, lambda: lines_of(store, exact=engine.is_exact), lambda: totals(store))
