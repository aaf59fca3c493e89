"""A backup beside a writer that commits at each step of it: one moment of the store, with nothing torn."""

import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import attrs
import pytest

from gateway.dialect.outcome import Outcome, Verdict
from gateway.operate.backup.create import Create
from gateway.storage.contract import Entry, IdempotencyRecord, Storage
from gateway.storage.engines import open_store
from gateway.storage.moving import Cursor, LogBatch, Row
from gateway.storage.read import export
from gateway.storage.sqlite.checkpointer import CheckpointPace
from gateway.storage.store import Store, StoreSettings
from gateway.testing.engine.given.entries import key
from gateway.testing.engine.given.filled import NOW, entry, events, quarantined
from tests.operate.backup.making import new_sqlite, restored
from tests.storage.stores import opened

WINDOW = 3600.0


@attrs.define
class Writer:
    """What is written, each time something else; `sent` are the entries in their order, `acknowledged` their number."""

    storage: Storage
    sent: list[Entry] = attrs.field(factory=list)
    held: int = 0

    async def write(self) -> None:
        """Commit an event, one with an idempotency key, one beside a held item, and replay an older held item."""
        number = 10 * len(self.sent)
        outcome = Outcome(Verdict.STORED, f"m-{number + 1}")
        claim = IdempotencyRecord(key(f"claim {number}"), key("print"), (outcome,))
        outcomes = (Outcome(Verdict.QUARANTINED, "", ()), Outcome(Verdict.STORED, f"m-{number + 2}"))
        item = quarantined(str(number + 3), 0)
        await self._put(entry(events(number)))
        await self._put(entry(events(number + 1), idempotency=claim))
        await self._put(entry(events(number + 2), quarantined=(item,), outcomes=outcomes))
        self.held += 1
        if self.held > 2:
            [held] = [each for each in self.sent if each.quarantined][self.held - 3].quarantined
            row = attrs.evolve(events(int(held.message_id))[0], key=held.key)
            await self.storage.append(attrs.evolve(entry((row,)), resolves=self.held - 2))

    async def _put(self, sent: Entry) -> None:
        await self.storage.append(sent)
        self.sent.append(sent)


@attrs.define
class Meddled:
    """A store, or a source, on which something is done before each step of whoever reads it."""

    inner: Any
    act: Callable[[], Awaitable[None]]
    steps: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    @contextlib.asynccontextmanager
    async def move_source(self) -> AsyncIterator["Meddled"]:
        async with self.inner.move_source() as source:
            yield Meddled(source, self.act)

    @contextlib.asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Cursor]:
        async with self.inner.snapshot() as end:
            await self.act()
            yield end

    async def end(self) -> Cursor:
        await self.act()
        end: Cursor = await self.inner.end()
        await self.act()
        return end

    async def mark(self) -> Cursor:
        await self.act()
        mark: Cursor = await self.inner.mark()
        await self.act()
        return mark

    async def log(self, after: Cursor, until: Cursor, mark: Cursor) -> AsyncIterator[LogBatch]:
        async for batch in self.inner.log(after, until, mark):
            await self.act()
            yield batch

    async def rows(self, table: str, since: Cursor | None = None) -> AsyncIterator[Sequence[Row]]:
        await self.act()
        pages = 0
        async for rows in self.inner.rows(table, since):
            yield rows
            pages += 1
            if pages in (1, 170, 340):  # keys have 512 pages
                await self.act()


async def stored(store: Store) -> Counter[str]:
    """How often each event is stored, by its message id."""
    async with store.log() as log:
        return Counter(
            [json.loads(line)["message_id"] for page in [p async for p in export(log)] for line in page.lines]
        )


async def judged(file: Path, url: str, writer: Writer, before: int) -> None:
    """Restore a backup and hold it against what was sent, of which so many entries were acknowledged before it."""
    assert await restored(file, url) is not None
    store = open_store(url)
    there = await stored(store)
    assert set(there.values()) == {1}
    assert there.keys() >= {json.loads(row.body)["message_id"] for each in writer.sent[:before] for row in each.rows}
    async with store.records() as records:
        count = {verdict: number for _, _, verdict, number in await records.counters()}
        held = [each["message_id"] async for each in records.quarantine()]
    parts = [count.get(name, 0) for name in ("stored", "duplicate", "quarantined", "filtered")]
    assert (count["stored"], count["quarantined"], count["received"]) == (there.total(), len(held), sum(parts))
    async with store.storage(StoreSettings()) as storage:
        for each in writer.sent:
            await storage.append(each)  # what is there is a duplicate, and what came later is stored: nothing is lost
    everything = {json.loads(row.body)["message_id"] for each in writer.sent for row in each.rows}
    replayed = {f"m-{item.message_id}" for each in writer.sent for item in each.quarantined}
    after = await stored(store)
    assert (set(after.values()), after.keys() - replayed) == ({1}, everything)
    async with store.records() as records:
        held = [each["message_id"] async for each in records.quarantine()]
    assert Counter([*held, *[name.removeprefix("m-") for name in after.keys() & replayed]]) == Counter(
        [item.message_id for each in writer.sent for item in each.quarantined]
    )


@pytest.mark.parametrize("rotated_at", [4, 14])
async def test_on_sqlite_nothing_is_torn_while_keys_are_flushed_and_generations_rotate(
    tmp_path: Path, rotated_at: int
) -> None:
    await new_sqlite(tmp_path / "old")
    steps, time = 0, 0.0
    async with opened(
        tmp_path / "old",
        window=WINDOW,
        clock=lambda: time,
        max_memtable_keys=7,
        pace=CheckpointPace(every=20, restart=60, rest=5),
    ) as (storage, _):
        writer = Writer(storage)
        for _ in range(5):
            await writer.write()

        async def act() -> None:
            nonlocal steps, time
            steps += 1
            time += WINDOW if steps == rotated_at else 0.0
            await writer.write()

        before = len(writer.sent)
        store: Any = Meddled(open_store(f"sqlite:{tmp_path / 'old'}"), act)
        await Create(store, tmp_path / "a.tar", NOW).run()
    assert steps > 20
    await judged(tmp_path / "a.tar", f"sqlite:{tmp_path / 'new'}", writer, before)


@contextlib.asynccontextmanager
async def somebody_elses_transaction(url: str) -> AsyncIterator[None]:
    """A transaction that has a number and does not end: no reader goes beyond it."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_current_xact_id()")
            yield
    finally:
        await connection.close()


async def test_on_postgresql_nothing_is_torn_though_the_horizon_is_behind(
    tmp_path: Path, prepared: str, database: str
) -> None:
    async with open_store(prepared).storage(StoreSettings()) as storage:
        writer = Writer(storage)
        for _ in range(5):
            await writer.write()
        before = len(writer.sent)
        store: Any = Meddled(open_store(prepared), writer.write)
        async with somebody_elses_transaction(prepared):
            await Create(store, tmp_path / "a.tar", NOW).run()
    await judged(tmp_path / "a.tar", database, writer, before)
