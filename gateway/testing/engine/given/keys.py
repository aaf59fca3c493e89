"""How the checks of credentials open them."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import attrs

from gateway.keys.store import KeyStore
from gateway.storage.engines import open_store
from gateway.storage.store import Store
from gateway.testing.engine.promise import ready_store
from gateway.testing.engine.under_test import EngineUnderTest, sqlite

NOW = 1767323045678
VALUE = "toy_0123456789abcdef"


@attrs.frozen
class Keys:
    """The credentials of a store, which can be opened any number of times, and those of another store."""

    store: Store
    other: Store

    def opened(self) -> AbstractAsyncContextManager[KeyStore]:
        """Open the credentials, as each process does."""
        return self.store.keys(make=True)

    def others(self) -> AbstractAsyncContextManager[KeyStore]:
        """Open the credentials of the other store."""
        return self.other.keys(make=True)


@asynccontextmanager
async def opened(engine: EngineUnderTest) -> AsyncIterator[Keys]:
    """Open an empty store of an engine, beside an empty one of SQLite."""
    with sqlite().empty() as other:
        async with ready_store(engine) as store:
            yield Keys(store, open_store(other))


@asynccontextmanager
async def opened_once(engine: EngineUnderTest) -> AsyncIterator[KeyStore]:
    """Open the credentials of an empty store of an engine."""
    async with ready_store(engine) as store, store.keys(make=True) as keys:
        yield keys
