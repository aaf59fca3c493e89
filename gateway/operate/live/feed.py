"""The one reader of a store for all who watch: it begins with the first of them and ends with the last.

It looks at the log four times a second, and at what was held once a second. A look reads a bounded part: if more has
come in it goes on from the end, so that however many events arrive, watching takes little of the machine.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence

from gateway.operate.live.listener import MOST_ROWS, Batch, Listener, Sieve, sift
from gateway.operate.live.rows import LiveFilter, held_row, rejected_row
from gateway.storage.read import LogReader, Page, Position
from gateway.storage.records import NewRows, Records
from gateway.storage.store import Store
from gateway.store_error import StoreError

LOOK_SECONDS = 0.25
HELD_LOOKS = 4
"""Looks at the log for each at what was held."""
RETRY_SECONDS = 2.0
PAGES_A_LOOK = 2
MOST_LISTENERS = 24
TURN = 500
"""Events that are sifted before other tasks have their turn."""
log = logging.getLogger(__name__)


class TooManyListeners(Exception):
    """There is no room for one more who watches."""


class Feed:
    """What arrives in a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listeners: list[Listener] = []
        self._task: asyncio.Task[None] | None = None
        self._follows = asyncio.Event()
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    async def idle(self) -> None:
        """Return once nobody watches, and the store is not read any more."""
        await self._is_idle.wait()

    @contextlib.asynccontextmanager
    async def listening(self, where: LiveFilter, after: Position | str | None = None) -> AsyncIterator[Listener]:
        """Watch during the block. With `after`, a position, the first batch has what came in since then.

        Raises TooManyListeners; with `after` StoreError if the store cannot be read, ValueError on what is no position.
        """
        if len(self._listeners) >= MOST_LISTENERS:
            raise TooManyListeners
        listener = Listener(where)
        self._listeners.append(listener)
        try:
            if self._task is None:
                self._follows.clear()
                self._is_idle.clear()
                self._task = asyncio.create_task(self._run())
            if after is not None:
                await self._catch_up(listener, after)
            yield listener
        finally:
            self._listeners.remove(listener)
            if not self._listeners and self._task is not None:
                task, self._task = self._task, None
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
                if self._task is None:  # else somebody has begun to watch meanwhile
                    self._is_idle.set()

    async def _catch_up(self, listener: Listener, after: Position | str) -> None:
        """Give a listener what came in after a position. Some of it the next looks find again."""
        async with self._store.log() as reader:
            position = reader.parse_position(str(after))
            # What comes in from here on is found by the looks, and what came before by this reader, or by both.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RETRY_SECONDS):
                    await self._follows.wait()
            sieve, seen = Sieve(listener.where), set[Position]()
            cursor, skipped = await _read(reader, position, [sieve], seen)
        listener.known = frozenset(seen)
        listener.put(Batch(sieve.rows(), sieve.count - len(sieve.rows()), cursor=cursor, skipped=skipped))

    async def _run(self) -> None:
        """Look again and again, from the end of the log on. Where it cannot be read, say so once, and try again."""
        told = ""
        while True:
            try:
                async with self._store.log() as reader, self._store.records() as records:
                    await self._follow(reader, records)
            except StoreError as error:
                if str(error) != told:
                    log.warning("what arrives cannot be shown: %s", error)
                told = str(error)
                for each in self._listeners:
                    each.put(Batch((), 0, trouble=told))
                await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self, reader: LogReader, records: Records) -> None:
        position = await reader.newest()
        quarantined, rejected = await records.new_quarantined(), await records.new_rejected()
        self._follows.set()
        looks = 0
        while True:
            position = await self._look(reader, position)
            looks += 1
            if looks % HELD_LOOKS == 0:
                quarantined = await records.new_quarantined(quarantined.mark, MOST_ROWS)
                rejected = await records.new_rejected(rejected.mark, MOST_ROWS)
                self._tell_held(quarantined, rejected)
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self, reader: LogReader, position: Position) -> Position:
        listeners = list(self._listeners)
        sieves = [Sieve(each.where, each.known) for each in listeners]
        cursor, skipped = await _read(reader, position, sieves)
        for listener, sieve in zip(listeners, sieves, strict=True):
            if sieve.count or skipped:
                rows = sieve.rows()
                listener.put(Batch(rows, sieve.count - len(rows), cursor=cursor, skipped=skipped))
        return cursor

    def _tell_held(self, quarantined: NewRows, rejected: NewRows) -> None:
        if not quarantined.count and not rejected.count:
            return
        rows = [*map(held_row, quarantined.rows), *map(rejected_row, rejected.rows)]
        unseen = quarantined.count + rejected.count - len(rows)
        for each in self._listeners:
            if each.where.of_held:
                found = [row for row in rows if each.where.asks_for_held(row)]
                # Of those that were only counted nothing is known that a filter asks for.
                more = unseen if each.where == LiveFilter() else 0
                if found or more:
                    each.put(Batch(found, more))


async def _read(
    reader: LogReader, position: Position, sieves: Sequence[Sieve], seen: set[Position] | None = None
) -> tuple[Position, bool]:
    """Sift what came in after a position; return where to go on, and whether something was skipped to get there."""
    for _ in range(PAGES_A_LOOK):
        page: Page = await reader.page(position)
        events = list(page.events)
        for start in range(0, len(events), TURN):
            sift(events[start : start + TURN], sieves)
            await asyncio.sleep(0)
        if seen is not None:
            seen.update(page.positions)
        position = page.cursor
        if not page.more:
            return position, False
    return await reader.newest(), True
