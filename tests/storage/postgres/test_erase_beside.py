"""Erasing a person while gateways and others use the database: what each of them sees, and who is waited for."""

import asyncio

import asyncpg
import attrs
import pytest

from gateway.storage.contract import Appended, AppendStatus, Storage
from gateway.storage.postgres.erasing import eraser as eraser_module
from gateway.storage.postgres.erasing import vacuum as vacuum_module
from gateway.storage.store import Store, StoreSettings
from gateway.store_error import StoreError
from tests.storage.postgres.test_erase import ANN, entry, erased, line, names, store

__all__ = ["store"]
NEW = Appended(AppendStatus.NEW)


async def test_a_commit_that_was_on_its_way_is_waited_for_and_erased(store: Store, prepared: str) -> None:
    blocker, watcher = await asyncpg.connect(prepared), await asyncpg.connect(prepared)
    async with store.storage(StoreSettings()) as storage, asyncio.timeout(30):
        await storage.append(entry(line("ann 1", "ann-7")))
        block = blocker.transaction()
        await block.start()
        await blocker.execute("UPDATE gateway.counters SET count = count")
        appending = asyncio.ensure_future(storage.append(entry(line("ann 2", "ann-7"))))
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while not await watcher.fetchval(waiting):  # noqa: ASYNC110 - it is the database that changes
            await asyncio.sleep(0.01)
        erasing = asyncio.ensure_future(erased(store))
        while not await watcher.fetchval("SELECT count(*) FROM gateway.erasures"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await block.rollback()
        assert await appending == NEW
        assert (await erasing).events == 2
        assert (await storage.append(entry(line("ann 3", "ann-7")))).duplicates == (0,)
    assert await names(store) == []
    for connection in (blocker, watcher):
        await connection.close()


async def test_two_gateways_take_events_of_a_person_while_the_person_is_erased(store: Store) -> None:
    stop = asyncio.Event()

    async def send(storage: Storage, gateway: str) -> int:
        number = 0
        while not stop.is_set():
            number += 1
            await storage.append(
                entry(line(f"ann {gateway} {number}", "ann-7"), line(f"bob {gateway} {number}", "bob"))
            )
        return number

    async with store.storage(StoreSettings()) as one, store.storage(StoreSettings()) as other:
        sending = [asyncio.ensure_future(send(each, name)) for each, name in ((one, "one"), (other, "other"))]
        async with store.log() as log:
            while await log.count() < 40:  # noqa: ASYNC110 - the gateways write
                await asyncio.sleep(0.01)
        report = await erased(store)
        after = await names(store)
        stop.set()
        sent = await asyncio.gather(*sending)
    assert report.events >= 10
    assert [each for each in after if each.startswith("ann")] == []
    found = await names(store)
    assert len(found) == sum(sent)
    assert all(each.startswith("bob") for each in found)


async def test_while_an_older_gateway_runs_nobody_is_erased_and_later_none_may_start(
    store: Store, prepared: str
) -> None:
    connection = await asyncpg.connect(prepared)
    async with store.storage(StoreSettings()):
        # As a gateway of the version before takes its number.
        await connection.execute(
            "INSERT INTO gateway.gateways SELECT 7, 'owner', 'old', '0.1.0', now(), now() ON CONFLICT DO NOTHING"
        )
        with pytest.raises(
            StoreError, match=r"a gateway of an older version \(0.1.0, on old\) runs on .*; upgrade it first"
        ):
            await erased(store)
        assert await connection.fetchval("SELECT erasures FROM gateway.state") == 0
    assert await connection.fetchval("SELECT compatible_from FROM gateway.meta") == 1
    await connection.execute("DELETE FROM gateway.gateways WHERE gateway = 7")
    await erased(store)
    assert await connection.fetchval("SELECT compatible_from FROM gateway.meta") == 3
    await connection.close()


async def test_an_open_transaction_of_somebody_else_is_named_and_vacuum_is_done_again_by_the_next_run(
    store: Store, prepared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eraser_module, "OPEN_SECONDS", 0.1)
    monkeypatch.setattr(vacuum_module, "SECONDS", 0.1)
    async with store.storage(StoreSettings()) as storage:
        await storage.append(entry(line("ann 1", "ann-7")))
    analyst = await asyncpg.connect(prepared, server_settings={"application_name": "analyst"})
    block = analyst.transaction(isolation="repeatable_read")
    await block.start()
    await analyst.execute("SELECT 1 FROM gateway.events")
    report = await erased(store)
    assert report.events == 1
    waiting, old, _ = report.left
    assert (
        f"process {analyst.get_server_pid()} (analyst) has had a transaction open since before the erasure" in waiting
    )
    assert f"old versions of rows may be left, because of process {analyst.get_server_pid()} (analyst)" in old
    to_do = "SELECT count(*) FROM gateway.erasing"
    assert await analyst.fetchval(to_do) == 0  # in its old snapshot
    await block.rollback()
    assert await analyst.fetchval(to_do) > 0
    assert len((await erased(store)).left) == 1
    assert await analyst.fetchval(to_do) == 0
    await analyst.close()


async def test_a_group_of_a_store_takes_four_round_trips_with_erasures_of_others_and_without(store: Store) -> None:
    statements: list[str] = []
    async with store.storage(StoreSettings()) as storage:
        await storage.append(entry(line("bob 0", "bob")))
        connection = await storage._engine._session.connection()  # type: ignore[attr-defined]
        connection.add_query_logger(lambda record: statements.append(record.query.split()[0]))
        await storage.append(entry(line("bob 1", "bob")))
        usual = list(statements)
        await erased(store, attrs.evolve(ANN, project="blog"))
        await storage.append(entry(line("bob 2", "bob")))
        statements.clear()
        await storage.append(entry(line("bob 3", "bob")))
        then = list(statements)
    assert then == usual == ["BEGIN", "WITH", "WITH", "COMMIT"]
