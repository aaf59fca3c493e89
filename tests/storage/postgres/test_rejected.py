"""Rejected requests of several gateways: in one order, and together within the bounds."""

import asyncio

from gateway.storage.engines import open_store
from gateway.storage.rejected_log import RejectedRequestLog
from gateway.storage.store import StoreSettings
from gateway.testing.engine.given.rejections import rejection


async def test_all_gateways_together_keep_no_more_than_the_bounds_and_the_newest_stay(database: str) -> None:
    store = open_store(database)
    await store.prepare()
    logs = [store.rejected_log(StoreSettings(rejected_bytes=30_000, rejected_window=60.0)) for _ in range(3)]
    for turn in range(5):
        for log in logs:
            for number in range(20):
                log.add(rejection(path=f"/{turn}", items=number % 2 + 1))
        await asyncio.gather(*[_write(log) for log in logs])
    async with store.records() as records:
        rows = [each async for each in records.rejected_requests()]
        assert [each["path"] for each in rows] == ["/4"] * 12
        assert await records.rejected_counts() == [("shop", "toy", 3 * 5 * 30)]
        buckets = await records.rejected_buckets(3600, 0)
        assert sum([count for *_, count in buckets]) == 3 * 5 * 30


async def _write(log: RejectedRequestLog) -> None:
    async with log.running():
        pass
