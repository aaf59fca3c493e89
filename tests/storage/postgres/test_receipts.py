"""What only a database must do for receipts: find them without their project, and do without those that are gone."""

import asyncpg
import attrs

from gateway.records.raw_request import RawRequest, compress
from gateway.storage.engines import open_store
from gateway.storage.store import StoreSettings
from gateway.testing.engine.given.entries import entry, row
from tests.kit.fake_dialect import API_KEY, dialect

RAW = RawRequest("POST", "/batch", b"{}", b"{}", b"{}")


async def test_the_receipt_of_a_project_that_has_only_sent_empty_requests_is_found_by_its_credential(
    database: str,
) -> None:
    store = open_store(database)
    async with store.keys(make=True) as keys:
        await keys.add("shop", dialect, API_KEY, now=0)
    async with store.storage(StoreSettings()) as storage, store.records() as records:
        empty = await storage.append(entry(project="shop"))
        await storage.append(entry(row("a"), project="blog"))
        assert await records.counters() == [("blog", "toy", "received", 1), ("blog", "toy", "stored", 1)]
        found = await records.receipt(f"{empty.receipt:x}")
        assert found is not None
        assert (found["project"], found["items"]) == ("shop", [])


async def test_kept_requests_whose_receipts_have_expired_before_them_are_left_out(database: str) -> None:
    store = open_store(database)
    await store.prepare()
    async with store.storage(StoreSettings()) as storage, store.records() as records:
        for number in range(130):
            await storage.append(attrs.evolve(entry(row(number)), raw_compressed=compress(RAW)))
        connection = await asyncpg.connect(database)
        gone = await connection.execute(
            "DELETE FROM gateway.receipts WHERE id NOT IN (SELECT max(id) FROM gateway.receipts)"
        )
        await connection.close()
        assert gone == "DELETE 129"
        assert [each.raw async for each in records.raw_events()] == [RAW]
