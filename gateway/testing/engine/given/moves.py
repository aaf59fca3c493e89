"""How the checks of moving have an old store and a new one."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs

from gateway.operate.moving.move import Move, MoveResult
from gateway.storage.engines import open_store
from gateway.storage.store import Store
from gateway.testing.engine.under_test import EngineUnderTest, sqlite


@attrs.frozen
class Stores:
    """Empty stores, by their URLs, that are not prepared: two of the engine, and two of SQLite."""

    engine: tuple[str, str]
    sqlite: tuple[str, str]

    @property
    def ways(self) -> tuple[tuple[str, str], ...]:
        """Return where to move from and to, either way."""
        return (self.engine[0], self.sqlite[0]), (self.sqlite[1], self.engine[1])


@asynccontextmanager
async def opened(engine: EngineUnderTest) -> AsyncIterator[Stores]:
    """Make four empty stores."""
    with contextlib.ExitStack() as stack:
        urls = [stack.enter_context(each.empty()) for each in (engine, engine, sqlite(), sqlite())]
        yield Stores((urls[0], urls[1]), (urls[2], urls[3]))


async def move(source: str, target: str, said: list[str] | None = None) -> MoveResult:
    """Move a store into another one, as `gateway storage move` does."""
    said = [] if said is None else said
    async with open_store(source).move_source() as old, open_store(target).move_target() as new:
        return await Move(old, new, said.append).run()


async def receipt_ids(url: str) -> list[int]:
    """Return the ids of all receipts of a store."""
    async with open_store(url).move_source() as source:
        return [
            receipt.id
            async for batch in source.log([], await source.end(), await source.mark())
            for receipt in batch.receipts
        ]


async def prepared(url: str) -> Store:
    """Return a store that is ready to be written to."""
    store = open_store(url)
    await store.prepare()
    return store
