"""What every engine's Records promise of the quarantine, and what its writer does with it."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

import attrs
import pytest

from gateway.records.raw_request import RawRequest
from gateway.storage.contract import Appended, AppendStatus, Entry, QuarantinedItem, SubmittingStorage
from gateway.storage.held.record import QuarantineRecord
from gateway.storage.read import Position, export
from gateway.storage.records import Records
from gateway.storage.store import Store, StoreSettings
from tests.storage.stores import claim, entry, kept, key, row

FAULTS = b'[{"code":"required","pointer":"/event","detail":{}}]'
RAW = RawRequest("POST", "/batch", b'{"a":"1"}', b'{"host":"h"}', b"\xff{}", "192.0.2.1", "site")
LARGE = attrs.evolve(RAW, body=random.Random(1).randbytes(40_000))
NEW, SEEN = Appended(AppendStatus.NEW), Appended(AppendStatus.NEW, duplicates=(0,))


def quarantined(name: str, index: int = 0, keyed: bool = True) -> QuarantinedItem:
    return QuarantinedItem(name, FAULTS, b"{}", key(name) if keyed else None, index)


def holding(*items: QuarantinedItem, raw: RawRequest = RAW, project: str = "p") -> Entry:
    return attrs.evolve(entry(quarantined=items, project=project), request=kept(raw))


def settling(number: int, *names: str) -> Entry:
    return attrs.evolve(entry(*[row(name) for name in names]), resolves=number)


@asynccontextmanager
async def opened(store: Store, *, quarantine_bytes: int = 1 << 40) -> AsyncIterator[tuple[SubmittingStorage, Records]]:
    """The writer of a store, and a reader of its records."""
    settings = StoreSettings(quarantine_bytes=lambda _project: quarantine_bytes)
    async with store.storage(settings) as storage, store.records() as records:
        yield storage, records


async def held(records: Records, project: str | None = None) -> list[dict[str, Any]]:
    return [each async for each in records.quarantine(project=project)]


async def messages(records: Records) -> list[object]:
    return [each["message_id"] for each in await held(records)]


async def ids(records: Records) -> list[int]:
    return [each["id"] for each in await held(records)]


async def names(store: Store) -> list[tuple[Position, bytes]]:
    """The positions and lines of all events."""
    async with store.log() as log:
        return [event async for page in export(log) for event in page.events]


async def counted(records: Records) -> dict[str, int]:
    counts = dict.fromkeys(("received", "stored", "duplicate", "quarantined"), 0)
    for _, _, verdict, count in await records.counters():
        counts[verdict] += count
    return counts


async def test_a_quarantined_item_is_read_back_whole_with_its_request(store: Store) -> None:
    async with opened(store) as (storage, records):
        receipt = (await storage.append(holding(quarantined("a"), quarantined("b", 7)))).receipt
        first, second = await ids(records)
        head = (second, "b", 1_700_000_000_000, "p", "toy", "track", "quarantined", 7, receipt)
        assert await records.quarantine_record(second) == QuarantineRecord(*head, FAULTS.decode(), "{}", RAW)
        assert await records.quarantine_record(second + 1) is None
        assert await records.quarantine_record(0) is None
        listed = {
            "id": first,
            "message_id": "a",
            "received_at": 1_700_000_000_000,
            "project": "p",
            "dialect": "toy",
            "route": "track",
            "verdict": "quarantined",
            "item": 0,
            "receipt": f"{receipt:x}",
            "faults": FAULTS.decode(),
            "payload": "{}",
        }
        assert (await held(records))[0] == listed


async def test_the_quarantine_is_listed_by_project_and_after_an_id(store: Store) -> None:
    async with opened(store) as (storage, records):
        for number in range(50):
            await storage.append(holding(quarantined(f"a{number}"), quarantined(f"b{number}", 1), project="shop"))
            await storage.append(holding(quarantined(f"c{number}"), project="blog"))
        everything = await held(records)
        assert [each["message_id"] for each in everything] == [
            f"{name}{number}" for number in range(50) for name in "abc"
        ]
        assert await held(records, "blog") == everything[2::3]
        for after in (0, 1, 70, 149):
            found = [each async for each in records.quarantine(everything[after]["id"])]
            assert found == everything[after + 1 :]
            found = [each async for each in records.quarantine(everything[after]["id"], "blog")]
            assert found == [each for each in everything[after + 1 :] if each["project"] == "blog"]
        assert await held(records, "nobody") == []


async def test_an_item_is_quarantined_once_even_after_a_restart_and_within_a_group(store: Store) -> None:
    async with opened(store) as (storage, _):
        answers = await asyncio.gather(*[storage.append(holding(quarantined("a"))) for _ in range(3)])
        twice = await storage.append(holding(quarantined("b"), quarantined("b", 1)))
    async with opened(store) as (storage, records):
        again = await storage.append(holding(quarantined("a")))
        assert sorted(answer.duplicates for answer in answers) == [(), (0,), (0,)]
        assert (twice.duplicates, again) == ((1,), SEEN)
        assert await messages(records) == ["a", "b"]
        assert await counted(records) == {"received": 6, "stored": 0, "duplicate": 4, "quarantined": 2}


async def test_items_without_an_id_are_all_quarantined(store: Store) -> None:
    async with opened(store) as (storage, records):
        assert await storage.append(holding(*[quarantined("a", index, keyed=False) for index in range(2)])) == NEW
        assert await messages(records) == ["a", "a"]


async def test_an_item_with_the_id_of_an_event_is_a_duplicate_and_a_quarantined_id_may_become_an_event(
    store: Store,
) -> None:
    async with opened(store) as (storage, records):
        assert await storage.append(entry(row("a"))) == NEW
        assert await storage.append(holding(quarantined("a"))) == SEEN
        assert await storage.append(holding(quarantined("b"))) == NEW
        assert await storage.append(entry(row("b"))) == NEW
        [number] = await ids(records)
        assert await storage.append(settling(number, "b")) == SEEN
        assert await records.settled(number) == "duplicate"
        assert await counted(records) == {"received": 4, "stored": 2, "duplicate": 2, "quarantined": 0}


async def test_a_replayed_item_is_stored_once_and_a_retry_of_it_is_a_duplicate(store: Store) -> None:
    async with opened(store) as (storage, records):
        await storage.append(holding(quarantined("a"), quarantined("b", 1)))
        first, second = await ids(records)
        answers = await asyncio.gather(*[storage.append(settling(first, "a")) for _ in range(2)])
    async with opened(store) as (storage, records):
        again = await storage.append(settling(first, "a"))
        retried = await storage.append(holding(quarantined("a")))
        assert ([*answers, again], retried) == ([NEW, *[Appended(AppendStatus.REPLAYED)] * 2], SEEN)
        [(position, _)] = await names(store)
        assert await ids(records) == [second]
        assert await counted(records) == {"received": 3, "stored": 1, "duplicate": 1, "quarantined": 1}
        assert await records.settled(first) == f"stored at position {position}"
        assert await records.settled(second) is None
        assert await records.quarantine_record(first) is None


async def test_a_dropped_item_is_gone_and_its_number_stays_its_own(store: Store) -> None:
    statuses, left = [], []
    async with opened(store) as (storage, records):
        await storage.append(holding(quarantined("a"), quarantined("b", 1)))
        first, second = await ids(records)
        for number in (second, first, first):
            statuses.append((await storage.append(settling(number))).status)
            left.append(await messages(records))
    async with opened(store) as (storage, records):
        await storage.append(holding(quarantined("c")))
        [third] = await ids(records)
        assert third > second
        assert await counted(records) == {"received": 3, "stored": 0, "duplicate": 0, "quarantined": 3}
    assert statuses == [AppendStatus.NEW, AppendStatus.NEW, AppendStatus.REPLAYED]
    assert left == [["a"], [], []]


async def test_items_of_several_requests_end_in_one_group(store: Store) -> None:
    async with opened(store) as (storage, records):
        for name in "abcd":
            await storage.append(holding(quarantined(name), quarantined(f"{name}2", 1)))
        numbers = await ids(records)
        answers = await asyncio.gather(*[storage.append(settling(number)) for number in [*numbers[:5], 10**9]])
        assert [answer.status for answer in answers] == [AppendStatus.NEW] * 5 + [AppendStatus.REPLAYED]
        assert await messages(records) == ["c2", "d", "d2"]
        assert await storage.append(holding(quarantined("a"), quarantined("c2", 1))) == Appended(
            AppendStatus.NEW, duplicates=(1,)
        )


async def test_a_replayed_request_quarantines_nothing_again_and_names_the_first_receipt(store: Store) -> None:
    async with opened(store) as (storage, _):
        first = await storage.append(attrs.evolve(holding(quarantined("a", keyed=False)), idempotency=claim("k")))
    async with opened(store) as (storage, records):
        again = await storage.append(attrs.evolve(holding(quarantined("a", keyed=False)), idempotency=claim("k")))
        assert (again.status, again.receipt == first.receipt > 0) == (AppendStatus.REPLAYED, True)
        assert await counted(records) == {"received": 2, "stored": 0, "duplicate": 1, "quarantined": 1}


async def test_beyond_its_size_a_quarantine_keeps_fault_size_and_digest_and_events_are_stored(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(store, quarantine_bytes=100_000) as (storage, records):
        for name in "abcd":
            mixed = attrs.evolve(entry(row(f"good {name}"), quarantined=(quarantined(name),)), request=kept(LARGE))
            assert await storage.append(mixed) == NEW
        assert await storage.append(holding(quarantined("e"), raw=LARGE, project="q")) == NEW
        assert await storage.append(holding(quarantined("small"))) == NEW

        rows = await held(records)
        assert len(await names(store)) == 4
        assert [(each["message_id"], each.get("kept", True)) for each in rows] == [
            *(("a", True), ("b", True), ("c", False), ("d", False)),
            *(("e", True), ("small", True)),
        ]
        digest = sha256(LARGE.body).hexdigest()
        assert {name: rows[2][name] for name in ("faults", "payload", "size", "sha256")} == {
            "faults": FAULTS.decode(),
            "payload": None,
            "size": 40_000,
            "sha256": digest,
        }
        record = await records.quarantine_record(rows[2]["id"])
        assert record is not None
        assert (record.kept, record.raw, record.size, record.sha256) == (False, None, 40_000, digest)
    said = [each.getMessage() for each in caplog.records if "full" in each.getMessage()]
    assert said == [
        "the quarantine of project p is full (0 MB): of further items only fault, size and digest are kept; replay or "
        "drop some, or raise quarantine_megabytes"
    ]


async def test_a_request_whose_last_item_has_ended_makes_room_even_after_a_restart(store: Store) -> None:
    async def is_kept(records: Records) -> bool:
        return bool((await held(records))[-1].get("kept", True))

    async with opened(store, quarantine_bytes=90_000) as (storage, records):
        await storage.append(holding(quarantined("a"), quarantined("b", 1), raw=LARGE))
        await storage.append(holding(quarantined("c"), raw=LARGE))
        first, second, third = await ids(records)
        await storage.append(settling(first))
    async with opened(store, quarantine_bytes=90_000) as (storage, records):
        await storage.append(holding(quarantined("d"), raw=LARGE))
        assert not await is_kept(records)
        await storage.append(settling(second))
        await storage.append(holding(quarantined("e"), raw=LARGE))
        assert await is_kept(records)
        await storage.append(holding(quarantined("f"), raw=LARGE))
        assert not await is_kept(records)
        await storage.append(settling(third))
        await storage.append(holding(quarantined("g"), raw=LARGE))
        assert await is_kept(records)


async def test_thousands_of_items_of_one_request_end_one_by_one(store: Store) -> None:
    items = [attrs.evolve(quarantined(f"m-{index}", index), payload=b"") for index in range(3000)]
    async with opened(store) as (storage, records):
        await storage.append(holding(*items))
        numbers = await ids(records)
        await asyncio.gather(*[storage.append(settling(number)) for number in numbers[:-1]])
        assert await ids(records) == numbers[-1:]
        assert await storage.append(holding(items[0])) == NEW
        assert await storage.append(holding(items[-1])) == SEEN
        await storage.append(settling(numbers[-1]))
        assert len(await ids(records)) == 1
        assert [await records.settled(number) for number in (numbers[0], numbers[-1])] == ["dropped", "dropped"]
