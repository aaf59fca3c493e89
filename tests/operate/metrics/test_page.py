"""What /-/metrics says of the store, on each engine, and what it says while the store says nothing."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest

from gateway.datadir import make
from gateway.keys.keyring import Keyring
from gateway.operate.metrics.page import MetricsPage
from gateway.operate.metrics.store import QuarantineCount
from gateway.records.metrics import Meter
from gateway.storage.contract import Entry, EventRow, QuarantinedItem
from gateway.storage.engines import open_store
from gateway.storage.records import Records
from gateway.storage.store import Store, StoreSettings
from gateway.testing.engine.given.entries import entry, key

EVENT = b'{"project":"p","dialect":"toy","received_at":"2026-01-02T03:04:05.678Z"}'


def metrics_page(store: Store | None) -> MetricsPage:
    return MetricsPage(
        meter=Meter(),
        dialects=("toy",),
        ready=lambda: False,
        keyring=lambda: Keyring(b"salt", {}),
        clock=lambda: 0,
        store=store,
    )


def holding(first: int, count: int) -> Entry:
    """An entry with a quarantined item; its request has `count` of them."""
    items = [QuarantinedItem(str(number), b"[]", b"{}", key(number), number) for number in range(first, first + count)]
    return entry(quarantined=tuple(items))


async def told(page: MetricsPage, *names: str) -> dict[str, float]:
    text = (await page.exposition()).decode()
    rows = dict(re.findall(r"^([^#\s]+) (\S+)$", text.replace('", ', '",'), re.MULTILINE))
    return {row: float(value) for row, value in rows.items() if row.startswith(names)}


async def test_a_store_tells_its_size_its_quarantine_and_its_newest_event(url: str) -> None:
    store = open_store(url)
    await store.prepare()
    page = metrics_page(store)
    names = ("gateway_quarantine", "gateway_newest_event")
    async with store.storage(StoreSettings()) as storage:
        assert await told(page, *names) == {
            "gateway_quarantined_items": 0,
            "gateway_quarantine_bytes": 0,
            "gateway_newest_event_timestamp_seconds": 0,
        }
        await storage.append(entry(EventRow(EVENT)))
        for first in (10, 20, 30):
            await storage.append(holding(first, 2))
        await storage.append(attrs.evolve(entry(), resolves=3))
        found = await told(page, *names)
        assert found.pop("gateway_quarantine_bytes") > 600
        assert found == {
            "gateway_quarantined_items": 5,
            "gateway_newest_event_timestamp_seconds": pytest.approx(1767323045.678),
        }
        disk = await told(page, "gateway_storage")
        use = await store.disk_use()
        assert {f'gateway_storage_bytes{{part="{part}"}}' for part in use.parts} == disk.keys() - {
            "gateway_storage_free_bytes"
        }
        assert ("gateway_storage_free_bytes" in disk) == (store.directory is not None)
        assert disk['gateway_storage_bytes{part="log"}'] > 0


async def test_a_large_quarantine_is_counted_over_several_readings(url: str) -> None:
    store = open_store(url)
    await store.prepare()
    async with store.storage(StoreSettings()) as storage, store.records() as records:
        for first in range(0, 30, 3):
            await storage.append(holding(first, 3))
        count = QuarantineCount(requests=2, steps=2)
        assert [await count.read(records) for _ in range(3)] == [12, 24, 30]
        await storage.append(holding(100, 5))
        assert [await count.read(records) for _ in range(3)] == [30, 30, 35]


async def test_a_store_that_hangs_hides_nothing_else_and_is_asked_once(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    store, asked, answers = open_store(f"sqlite:{make(tmp_path / 'data').path}"), 0, asyncio.Event()
    await store.prepare()
    inner = store.records

    @asynccontextmanager
    async def hanging() -> AsyncIterator[Records]:
        nonlocal asked
        asked += 1
        await answers.wait()
        async with inner() as records:
            yield records

    # The real store answers in the end; only when is the test's.
    store.records = hanging  # type: ignore[method-assign]
    page = metrics_page(store)
    page.patience = 0.01
    async with store.storage(StoreSettings()):
        for found in await asyncio.gather(*[told(page, "gateway_") for _ in range(3)]):
            assert found["gateway_ready"] == 0
            assert "gateway_quarantined_items" not in found
        assert asked == 1
        assert caplog.text.count("the counters cannot be read: it does not answer") == 1
        answers.set()
        page.patience = 30
        assert (await told(page, "gateway_quarantined_items"), asked) == ({"gateway_quarantined_items": 0}, 1)


async def test_however_many_ask_at_once_one_page_is_made_for_all() -> None:
    page = metrics_page(None)
    first, *others = await asyncio.gather(*[page.exposition() for _ in range(5)])
    assert all(each is first for each in others)
    assert await page.exposition() is not first


async def test_who_goes_away_takes_the_page_from_nobody() -> None:
    page = metrics_page(None)
    gone, waiting = [asyncio.create_task(page.exposition()) for _ in range(2)]
    await asyncio.sleep(0)
    gone.cancel()
    assert b"gateway_ready 0.0" in await waiting


async def test_without_a_store_the_processes_are_told_of_all_the_same() -> None:
    found = await told(metrics_page(None), "gateway_build_info", "gateway_newest", "gateway_ready", "python_info")
    assert [name.partition("{")[0] for name in found] == ["gateway_build_info", "gateway_ready", "python_info"]
