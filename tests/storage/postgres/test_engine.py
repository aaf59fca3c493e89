"""What one process that writes into a database does when others were there before it."""

import asyncio
import contextlib

import asyncpg
import pytest

from gateway.dialect.outcome import StorageUnavailable
from gateway.storage.contract import Appended, AppendStatus, Entry, Storage
from gateway.storage.engines import open_store
from gateway.storage.store import StoreSettings
from gateway.store_error import StoreError
from gateway.testing.engine.given.entries import entry, row


async def test_a_process_goes_on_where_one_of_its_number_ended_in_the_same_millisecond(prepared: str) -> None:
    store, receipts = open_store(prepared), list[int]()
    for start in (0, 1000, 2000):
        async with store.storage(StoreSettings()) as storage:
            answers = await asyncio.gather(*[storage.append(entry(row(start + number))) for number in range(400)])
        assert answers == [Appended(AppendStatus.NEW)] * 400
        receipts += [answer.receipt for answer in answers]

    assert len(set(receipts)) == 1200


async def appended(storage: Storage, each: Entry) -> Appended:
    """Append an entry as soon as the store takes it."""
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(StorageUnavailable):
                return await storage.append(each)
            await asyncio.sleep(0.05)


async def test_without_one_of_its_tables_a_store_is_not_well_until_it_is_back(prepared: str) -> None:
    store = open_store(prepared)
    connection = await asyncpg.connect(prepared)
    async with store.storage(StoreSettings()) as storage:
        await connection.execute("ALTER TABLE gateway.counters RENAME TO gone")
        with pytest.raises(StorageUnavailable, match='relation "gateway.counters" does not exist'):
            await storage.append(entry(row(1)))
        probed = storage._engine.commit(())  # type: ignore[attr-defined]  # what group commit asks before it says so
        with pytest.raises(StorageUnavailable, match='relation "gateway.counters" does not exist'):
            await probed
        await connection.execute("ALTER TABLE gateway.gone RENAME TO counters")
        assert await appended(storage, entry(row(1))) == Appended(AppendStatus.NEW)
    await connection.close()


async def test_without_the_row_of_state_each_part_says_so_in_one_line(prepared: str) -> None:
    store = open_store(prepared)
    connection = await asyncpg.connect(prepared)
    async with store.storage(StoreSettings()) as storage, store.log() as reader:
        await connection.execute("DELETE FROM gateway.state")
        with pytest.raises(StorageUnavailable, match="restore gateway.state"):
            await storage.append(entry(row(1)))
        with pytest.raises(StoreError, match="restore gateway.state"):
            await reader.page()
        with pytest.raises(StoreError, match="restore gateway.state"):
            await reader.count()
    with pytest.raises(StoreError, match="restore gateway.state"):
        async with store.records():
            pass
    await connection.close()
