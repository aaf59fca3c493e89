"""The quarantine that several gateways share: each item is kept once and ends once, and no two wait for each other."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import attrs
import pytest

from gateway.dialect.outcome import Outcome, Verdict
from gateway.storage.contract import Appended, AppendStatus, Entry, SubmittingStorage
from gateway.storage.engines import open_store
from gateway.storage.records import Records
from gateway.storage.store import StoreSettings
from gateway.testing.engine.given.entries import entry, kept
from gateway.testing.engine.given.quarantine import LARGE, NEW, RAW, held, holding, ids, messages, quarantined, settling
from gateway.testing.engine.given.reading import totals_of as counted
from tests.kit.postgres.cluster import Cluster

NAMES = [f"{number:02}" for number in range(24)]


@pytest.fixture(autouse=True)
def no_deadlock(clusters: Callable[[str], Cluster]) -> Iterator[None]:
    """A deadlock is tried again, so that answers do not show it; the server's log does."""
    yield
    log = clusters("wheel").log.read_text()
    assert "deadlock" not in log, log[log.index("deadlock") :][:4000]


@asynccontextmanager
async def gateways(
    database: str, count: int = 2, *, quarantine_bytes: int = 1 << 40
) -> AsyncIterator[tuple[Sequence[SubmittingStorage], Records]]:
    """So many gateways on one database, and a reader of its records."""
    store = open_store(database)
    await store.prepare()
    settings = StoreSettings(quarantine_bytes=lambda _project: quarantine_bytes)
    async with AsyncExitStack() as stack:
        writers = [await stack.enter_async_context(store.storage(settings)) for _ in range(count)]
        yield writers, await stack.enter_async_context(store.records())


async def test_an_item_that_comes_to_several_gateways_at_once_is_quarantined_once(database: str) -> None:
    async with gateways(database, 3) as (writers, records):
        for name in NAMES:
            answers = await asyncio.gather(*[each.append(holding(quarantined(name))) for each in writers])
            assert sorted(answer.duplicates for answer in answers) == [(), (0,), (0,)]
        assert sorted(await messages(records), key=str) == NAMES
        assert await counted(records) == {"received": 72, "stored": 0, "duplicate": 48, "quarantined": 24}


async def test_gateways_that_get_the_same_items_in_another_order_do_not_wait_for_each_other(database: str) -> None:
    def mixed(names: Sequence[str]) -> Entry:
        return holding(*[quarantined(name, index) for index, name in enumerate(names)])

    async with gateways(database) as ((one, other), records):
        for start in range(0, len(NAMES), 6):
            part = NAMES[start : start + 6]
            answers = await asyncio.gather(one.append(mixed(part)), other.append(mixed(part[::-1])))
            assert sum(len(answer.duplicates) for answer in answers) == 6
        assert sorted(await messages(records), key=str) == NAMES


async def test_an_item_that_several_gateways_replay_and_drop_at_once_ends_once(database: str) -> None:
    async with gateways(database, 3) as (writers, records):
        await writers[0].append(holding(*[quarantined(name, index) for index, name in enumerate(NAMES)]))
        numbers = await ids(records)
        for number, name in zip(numbers, NAMES, strict=True):
            ends = [settling(number, name), settling(number), settling(number, name)]
            answers = await asyncio.gather(*[each.append(end) for each, end in zip(writers, ends, strict=True)])
            assert sorted(answer.status.value for answer in answers) == ["new", "replayed", "replayed"]
        assert await held(records) == []
        counts = await counted(records)
        assert counts["stored"] + counts["quarantined"] == counts["received"] == len(NAMES)
        told = [await records.settled(number) for number in numbers]
        stored = {each for each in told if each is not None and each.startswith("stored at position ")}
        assert len(stored) == counts["stored"]


async def test_groups_that_end_the_same_items_in_another_order_do_not_wait_for_each_other(database: str) -> None:
    async with gateways(database) as (writers, records):
        for name in NAMES:
            await writers[0].append(holding(quarantined(name)))
        numbers = await ids(records)
        orders = (numbers, numbers[::-1])
        answers = await asyncio.gather(
            *[each.append(settling(number)) for each, order in zip(writers, orders, strict=True) for number in order]
        )
        assert [answer.status for answer in answers].count(AppendStatus.NEW) == len(NAMES)
        assert await held(records) == []


async def test_a_retry_beside_the_replay_of_its_item_at_another_gateway_is_a_duplicate(database: str) -> None:
    async with gateways(database) as ((one, other), records):
        for name in NAMES:
            await one.append(holding(quarantined(name)))
            [number] = await ids(records)
            replayed, retried = await asyncio.gather(
                one.append(settling(number, name)), other.append(holding(quarantined(name)))
            )
            assert (replayed, retried) == (NEW, Appended(AppendStatus.NEW, duplicates=(0,)))
        assert await held(records) == []


async def test_the_bound_is_for_what_all_gateways_have_put_there(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with gateways(database, quarantine_bytes=90_000) as ((one, other), records):
        assert await one.append(holding(quarantined("a"), raw=LARGE)) == NEW
        assert await other.append(holding(quarantined("b"), raw=LARGE)) == NEW
        mixed = attrs.evolve(
            entry(quarantined=(quarantined("c"), quarantined("d", 1))),
            request=kept(LARGE),
            outcomes=(Outcome(Verdict.QUARANTINED, "c"), Outcome(Verdict.QUARANTINED, "d")),
        )
        assert await one.append(mixed) == NEW
        rows = sorted(await held(records), key=lambda each: str(each["message_id"]))
        assert [each.get("kept", True) for each in rows] == [True, True, False, False]
        # What one gateway has put there, another one takes out.
        for number in await ids(records):
            await other.append(settling(number))
        assert await one.append(holding(quarantined("e"), raw=LARGE)) == NEW
        assert await other.append(holding(quarantined("f"), raw=LARGE)) == NEW
        assert [each.get("kept", True) for each in await held(records)] == [True, True]
    assert len([each for each in caplog.messages if "is full" in each]) == 1


async def test_numbers_of_gateways_are_apart_and_each_finds_its_request(database: str) -> None:
    async with gateways(database, 3) as (writers, records):
        for index, writer in enumerate(writers):
            raw = attrs.evolve(RAW, body=f"{index}".encode())
            await writer.append(holding(quarantined(f"{index}"), quarantined(f"{index}+", 1), raw=raw))
        found = [await records.quarantine_record(number) for number in await ids(records)]
        assert [(each.message_id, each.raw and each.raw.body) for each in found if each is not None] == [
            (name, name[0].encode()) for index in range(3) for name in (f"{index}", f"{index}+")
        ]
