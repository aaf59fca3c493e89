"""Readers wait for the oldest open transaction, never go past it, and say who it is."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from gateway.storage.engines import open_store
from gateway.storage.postgres.connection.address import Address
from gateway.storage.postgres.connection.session import Session
from gateway.storage.postgres.engine import PostgresEngine
from gateway.storage.postgres.maintenance import Maintenance
from gateway.storage.postgres.retention import Keeping
from gateway.storage.read import export
from gateway.storage.store import Store, StoreSettings
from gateway.testing.engine.given.entries import body, entry, row
from gateway.testing.engine.given.respelled import respelled

INSERT = (
    "INSERT INTO gateway.events (project, day, xid, number, body) "
    "VALUES ('p', (now() AT TIME ZONE 'UTC')::date, pg_current_xact_id()::text::bigint, 1, $1)"
)


@asynccontextmanager
async def connected(url: str, name: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url, server_settings={"application_name": name})
    try:
        yield connection
    finally:
        await connection.close()


async def lines(store: Store) -> list[bytes]:
    async with store.log() as reader:
        return [respelled(line) async for page in export(reader) for line in page.lines]


async def test_an_event_that_is_committed_late_is_read_once_by_who_has_read_those_behind_it(prepared: str) -> None:
    store = open_store(prepared)
    async with (
        store.storage(StoreSettings()) as storage,
        store.log() as reader,
        connected(prepared, "slow") as slow,
    ):
        await storage.append(entry(row(1)))
        late = slow.transaction()
        await late.start()
        await slow.execute(INSERT, body("late").decode())
        await storage.append(entry(row(2)))

        first = await reader.page()
        assert [respelled(line) for line in first.lines] == [body(1)]
        assert (await reader.newest(), await reader.count()) == (first.positions[-1], 1)
        await late.commit()
        rest = await reader.page(first.cursor)

    assert [respelled(line) for line in rest.lines] == [body("late"), body(2)]


async def test_an_open_transaction_is_told_once_with_its_process_and_its_lag(
    prepared: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store(prepared)
    session = Session(Address(prepared), "maintenance")
    engine = await PostgresEngine.open(Address(prepared), lambda _: 1 << 40)
    maintenance = Maintenance(engine, session, Keeping(86_400.0, lambda _project: 0.0, 0.0), lag_seconds=0.0)
    async with connected(prepared, "report") as forgotten, store.records() as records:
        await maintenance.step()
        transaction = forgotten.transaction()
        await transaction.start()
        await forgotten.execute(INSERT, "{}")
        with caplog.at_level(logging.WARNING):
            await maintenance.step()
            await maintenance.step()
        await asyncio.sleep(0.05)
        lag = await records.reader_lag()
        pid = forgotten.get_server_pid()
        await transaction.rollback()
    await session.close()
    await engine.close()

    assert lag is not None
    assert lag > 0.0
    told = [record.getMessage() for record in caplog.records if f"process {pid} " in record.getMessage()]
    assert told == [
        f"readers of events are 0 seconds behind: process {pid} of the database (report, idle in transaction) has a "
        f"transaction open; end it with SELECT pg_terminate_backend({pid})"
    ]
