"""Expired events are deleted, and nothing else: no key, no event whose key is not flushed, no younger event."""

import sqlite3
from contextlib import closing
from pathlib import Path

import attrs

from gateway.datadir import find, make
from gateway.storage.contract import Appended, AppendStatus, Entry
from gateway.storage.sqlite.read.reader import Reader
from gateway.storage.sqlite.read.receipts import facts
from gateway.storage.sqlite.store import SqliteStore
from gateway.storage.store import StoreSettings
from gateway.testing.engine.given.entries import body, entry, row
from tests.kit.log_reading import reading
from tests.storage.stores import opened, stored

START = 1_700_000_000_000


def at(seconds: float, *names: object) -> Entry:
    return attrs.evolve(entry(*[row(name) for name in names]), received_at=START + int(seconds * 1000))


async def test_expired_events_are_deleted_and_their_keys_stay_known(tmp_path: Path) -> None:
    async with opened(tmp_path, keep_events=10.0) as (storage, _):
        receipts = [(await storage.append(at(number, number))).receipt for number in range(40)]
        again = await storage.append(at(40, 0, 39))
        for _ in range(2):  # expired events are flushed first, and deleted with the next commit
            last = await storage.append(at(49))

    assert again == Appended(AppendStatus.NEW, duplicates=(0, 1))
    assert stored(tmp_path) == [body(39)]
    async with reading(tmp_path) as log:
        assert (await log.count(), await log.newest()) == (1, 40)
    with Reader(find(tmp_path)) as reader:
        assert facts(reader, f"{receipts[0]:x}") is None
        assert facts(reader, f"{last.receipt:x}") is not None
    with closing(sqlite3.connect(tmp_path / "events.db")) as file:
        assert file.execute("SELECT position, body FROM events").fetchall() == [(40, body(39).decode())]
    async with opened(tmp_path, keep_events=10.0) as (storage, _):
        assert (await storage.append(at(50, *range(41)))).duplicates == tuple(range(40))


async def test_without_the_setting_nothing_is_deleted(tmp_path: Path) -> None:
    async with opened(tmp_path, max_memtable_keys=1) as (storage, _):
        for number in range(5):
            await storage.append(at(number * 1e6, number))

    assert stored(tmp_path) == [body(number) for number in range(5)]


async def test_expired_events_are_deleted_a_few_chunks_with_each_commit(tmp_path: Path) -> None:
    async with opened(tmp_path, keep_events=10.0, max_memtable_keys=1) as (storage, _):
        for number in range(50):
            await storage.append(at(0, number))
        left = []
        for number in range(6):
            await storage.append(at(100 + number))
            left.append(len(stored(tmp_path)))

    assert left == sorted(left, reverse=True)
    assert (left[0] >= 50 - 8, left[-1] <= 10) == (True, True)


async def test_a_time_that_is_set_later_counts_from_the_next_commit_on(tmp_path: Path) -> None:
    store = SqliteStore(make(tmp_path))
    await store.renew(StoreSettings(keep_events=10.0))  # nothing is open
    async with store.storage(StoreSettings()) as storage:
        for number in range(40):
            await storage.append(at(number, number))
        await storage.append(at(49))
        assert len(stored(tmp_path)) == 40
        await store.renew(StoreSettings(keep_events=10.0))
        for _ in range(8):  # a few chunks with each
            await storage.append(at(49))
    assert stored(tmp_path) == [body(39)]
