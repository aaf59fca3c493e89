"""Promises of an engine, and how they become checks.

A module has one Family. Each of its functions is a promise by its name, says what to do where it is not kept, and gets
what the family opens, by default an empty store that is prepared:

    FAMILY = Family("append", ready_store)

    @FAMILY.promise("write the rows of an entry in the order of Entry.rows")
    async def rows_are_kept_in_their_order(store: Store) -> None: ...
"""

import asyncio
import contextlib
import linecache
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import attrs

from gateway.dialect.outcome import StorageUnavailable
from gateway.storage.engines import open_store
from gateway.storage.store import Store, StoreSettings
from gateway.store_error import StoreError
from gateway.testing.check import Check, Cost, Failure
from gateway.testing.engine.expect import cut
from gateway.testing.engine.under_test import EngineUnderTest

PATIENCE = 120
"""Seconds after which a promise that is not kept yet is not kept."""
HERE = Path(__file__).parent
NO_PROMISES = {Path(__file__).name, "expect.py"}
"""Files whose lines say nothing about what was tried."""

Opened = TypeVar("Opened")
Open = Callable[[EngineUnderTest], AbstractAsyncContextManager[Opened]]
Tried = Callable[[Opened], Awaitable[None]]


@contextlib.asynccontextmanager
async def ready_store(engine: EngineUnderTest) -> AsyncIterator[Store]:
    """Open an empty store of an engine, ready to be written to."""
    with engine.empty() as url:
        store = open_store(url)
        await store.prepare()
        yield store


@contextlib.asynccontextmanager
async def written_store(engine: EngineUnderTest) -> AsyncIterator[Store]:
    """Open an empty store whose writer has been there: an engine may make its file only then."""
    async with ready_store(engine) as store:
        async with store.storage(StoreSettings()):
            pass
        yield store


@attrs.frozen
class Promise(Generic[Opened]):
    """`name` is a sentence, `remedy` says what the author of an engine that does not keep it has to do."""

    name: str
    remedy: str
    tried: Tried[Opened]


@attrs.frozen
class Family(Generic[Opened]):
    """The promises of one module, in their order. `opened` makes what each of them gets.

    `cost` is what a check takes, if that is more than what an empty store of the engine takes.
    """

    name: str
    opened: Open[Opened]
    cost: Cost | None = None
    promises: list[Promise[Opened]] = attrs.field(factory=list)

    def promise(self, remedy: str) -> Callable[[Tried[Opened]], Tried[Opened]]:
        """Return a decorator that takes a function as a promise."""

        def add(tried: Tried[Opened]) -> Tried[Opened]:
            name = getattr(tried, "__name__").replace("_", " ")  # noqa: B009 (a callable may have none, for mypy)
            self.promises.append(Promise(name, remedy, tried))
            return tried

        return add

    def checks(self, engine: EngineUnderTest) -> Iterator[Check]:
        """Yield a check for each promise."""
        for each in self.promises:
            yield Check(f"{self.name}/{each.name}", partial(self._run, each, engine), self.cost or engine.cost)

    def _run(self, promise: Promise[Opened], engine: EngineUnderTest) -> None:
        asyncio.run(kept(promise, partial(self.opened, engine)))


async def kept(promise: Promise[Opened], opened: Callable[[], AbstractAsyncContextManager[Opened]]) -> None:
    """Try a promise with what is opened for it. Raises Failure if it is not kept."""
    try:
        async with asyncio.timeout(PATIENCE), opened() as given:
            await promise.tried(given)
    except Failure:
        raise
    except TimeoutError as error:
        raise Failure(f"it was not done after {PATIENCE} seconds, {_place(error)}", promise.remedy) from error
    except AssertionError as error:
        raise Failure(f"{error}\n  {_place(error)}", promise.remedy) from error
    except (StoreError, StorageUnavailable, NotImplementedError) as error:
        raise Failure(f"{type(error).__name__} was raised: {error}\n  {_place(error)}", promise.remedy) from error


def _place(error: BaseException) -> str:
    """Return the statement of a promise in which something was raised, with its place."""
    frames: list[Any] = [
        each
        for each in traceback.extract_tb(error.__traceback__)
        if Path(each.filename).is_relative_to(HERE) and Path(each.filename).name not in NO_PROMISES
    ]
    if not frames:
        return "outside of the promise"
    frame = frames[-1]
    lines = range(frame.lineno, (frame.end_lineno or frame.lineno) + 1)
    statement = " ".join(linecache.getline(frame.filename, line).strip() for line in lines)
    return f"in gateway/testing/engine/{Path(frame.filename).relative_to(HERE)}:{frame.lineno}: {cut(statement)}"
