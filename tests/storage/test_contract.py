"""Appending keeps its promises in memory, and in SQLite where its keys do not fit into memory or expire meanwhile.

The promises are those of the kit (gateway/testing/engine/log/); test_conformance.py tries them on each engine.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.testing.engine.given.appending import Log
from gateway.testing.engine.log import append, idempotency
from gateway.testing.engine.promise import Promise, kept
from gateway.testing.memory import MemoryStorage
from tests.storage.stores import Clock, counted, opened, stored

PROMISES = [*append.FAMILY.promises, *idempotency.FAMILY.promises]
VERDICTS = ("received", "stored", "duplicate", "quarantined")


@asynccontextmanager
async def memory(_path: Path) -> AsyncIterator[Log]:
    storage = MemoryStorage()

    async def bodies() -> list[bytes]:
        return storage.bodies

    async def counts() -> dict[str, int]:
        total: Counter[str] = Counter()
        for (_, _, verdict), count in storage.counts.items():
            total[verdict] += count
        return {verdict: total[verdict] for verdict in VERDICTS}

    yield Log(storage, bodies, counts)


@asynccontextmanager
async def sqlite(path: Path, **settings: Any) -> AsyncIterator[Log]:
    async def bodies() -> list[bytes]:
        return stored(path)

    async def counts() -> dict[str, int]:
        return counted(path)

    async with opened(path, **settings) as (storage, _):
        yield Log(storage, bodies, counts)


def sqlite_with_no_memory(path: Path) -> AbstractAsyncContextManager[Log]:
    return sqlite(path, max_memtable_keys=1)


def sqlite_whose_clock_runs(path: Path) -> AbstractAsyncContextManager[Log]:
    clock = Clock()

    def later() -> float:
        clock.now += 61.0
        return clock.now

    return sqlite(path, clock=later, max_memtable_keys=2)


STORES: list[Callable[[Path], AbstractAsyncContextManager[Log]]] = [
    memory,
    sqlite_with_no_memory,
    sqlite_whose_clock_runs,
]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.name)
@pytest.mark.parametrize("store", STORES, ids=lambda opener: opener.__name__)
async def test_what_appending_promises_is_kept(
    promise: Promise[Log], store: Callable[[Path], AbstractAsyncContextManager[Log]], tmp_path: Path
) -> None:
    await kept(promise, partial(store, tmp_path / "data"))
