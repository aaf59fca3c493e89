"""What the quarantine promises: items are held once, replayed once, dropped, and counted."""

import asyncio

import attrs

from gateway.storage.contract import Appended, AppendStatus
from gateway.storage.held.record import QuarantineRecord
from gateway.storage.store import Store
from gateway.testing.engine.expect import equal, holds
from gateway.testing.engine.given.entries import claim, entry, row
from gateway.testing.engine.given.quarantine import (
    FAULTS,
    NEW,
    RAW,
    SEEN,
    held,
    holding,
    ids,
    messages,
    opened,
    quarantined,
    settling,
)
from gateway.testing.engine.given.reading import events_of, totals_of
from gateway.testing.engine.promise import Family, ready_store

FAMILY = Family("quarantine", ready_store)


@FAMILY.promise(
    "give each quarantined item a number of its own, ascending over the store, and keep its faults, its "
    "payload and its request"
)
async def a_quarantined_item_is_read_back_whole_with_its_request(store: Store) -> None:
    async with opened(store) as (storage, records):
        receipt = (await storage.append(holding(quarantined("a"), quarantined("b", 7)))).receipt
        first, second = await ids(records)
        head = (second, "b", 1_700_000_000_000, "p", "toy", "track", "quarantined", 7, receipt)
        equal(await records.quarantine_record(second), QuarantineRecord(*head, FAULTS.decode(), "{}", RAW))
        equal(await records.quarantine_record(second + 1), None)
        equal(await records.quarantine_record(0), None)
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
        equal((await held(records))[0], listed)


@FAMILY.promise(
    "list quarantined items by ascending number, those of one project where it is asked for, after the number "
    "that is given"
)
async def the_quarantine_is_listed_by_project_and_after_an_id(store: Store) -> None:
    async with opened(store) as (storage, records):
        for number in range(50):
            await storage.append(holding(quarantined(f"a{number}"), quarantined(f"b{number}", 1), project="shop"))
            await storage.append(holding(quarantined(f"c{number}"), project="blog"))
        everything = await held(records)
        equal(
            [each["message_id"] for each in everything], [f"{name}{number}" for number in range(50) for name in "abc"]
        )
        equal(await held(records, "blog"), everything[2::3])
        for after in (0, 1, 70, 149):
            found = [each async for each in records.quarantine(everything[after]["id"])]
            equal(found, everything[after + 1 :])
            found = [each async for each in records.quarantine(everything[after]["id"], "blog")]
            equal(found, [each for each in everything[after + 1 :] if each["project"] == "blog"])
        equal(await held(records, "nobody"), [])


@FAMILY.promise(
    "keep the dedupe keys of quarantined items like those of events, in the same commit: an item whose key is "
    "quarantined already is a duplicate"
)
async def an_item_is_quarantined_once_even_after_a_restart_and_within_a_group(store: Store) -> None:
    async with opened(store) as (storage, _):
        answers = await asyncio.gather(*[storage.append(holding(quarantined("a"))) for _ in range(3)])
        twice = await storage.append(holding(quarantined("b"), quarantined("b", 1)))
    async with opened(store) as (storage, records):
        again = await storage.append(holding(quarantined("a")))
        equal(sorted(answer.duplicates for answer in answers), [(), (0,), (0,)])
        equal((twice.duplicates, again), ((1,), SEEN))
        equal(await messages(records), ["a", "b"])
        equal(await totals_of(records), {"received": 6, "stored": 0, "duplicate": 4, "quarantined": 2})


@FAMILY.promise("a quarantined item without a key is always new")
async def items_without_an_id_are_all_quarantined(store: Store) -> None:
    async with opened(store) as (storage, records):
        equal(await storage.append(holding(*[quarantined("a", index, keyed=False) for index in range(2)])), NEW)
        equal(await messages(records), ["a", "a"])


@FAMILY.promise(
    "compare an item that is quarantined with the keys of events too, but let an event be stored whose key is "
    "only in quarantine"
)
async def an_item_with_the_id_of_an_event_is_a_duplicate_and_a_quarantined_id_may_become_an_event(
    store: Store,
) -> None:
    async with opened(store) as (storage, records):
        equal(await storage.append(entry(row("a"))), NEW)
        equal(await storage.append(holding(quarantined("a"))), SEEN)
        equal(await storage.append(holding(quarantined("b"))), NEW)
        equal(await storage.append(entry(row("b"))), NEW)
        [number] = await ids(records)
        equal(await storage.append(settling(number, "b")), SEEN)
        equal(await records.settled(number), "duplicate")
        equal(await totals_of(records), {"received": 4, "stored": 2, "duplicate": 2, "quarantined": 0})


@FAMILY.promise(
    "answer the first entry that resolves an item with NEW and each later one with REPLAYED, move its count "
    "from quarantined to stored, and remember what became of it"
)
async def a_replayed_item_is_stored_once_and_a_retry_of_it_is_a_duplicate(store: Store) -> None:
    async with opened(store) as (storage, records):
        await storage.append(holding(quarantined("a"), quarantined("b", 1)))
        first, second = await ids(records)
        answers = await asyncio.gather(*[storage.append(settling(first, "a")) for _ in range(2)])
    async with opened(store) as (storage, records):
        again = await storage.append(settling(first, "a"))
        retried = await storage.append(holding(quarantined("a")))
        equal(([*answers, again], retried), ([NEW, *[Appended(AppendStatus.REPLAYED)] * 2], SEEN))
        [(position, _)] = await events_of(store)
        equal(await ids(records), [second])
        equal(await totals_of(records), {"received": 3, "stored": 1, "duplicate": 1, "quarantined": 1})
        equal(await records.settled(first), f"stored at position {position}")
        equal(await records.settled(second), None)
        equal(await records.quarantine_record(first), None)


@FAMILY.promise("take a dropped item out of the list, remember that it ended, and never give its number again")
async def a_dropped_item_is_gone_and_its_number_stays_its_own(store: Store) -> None:
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
        holds(third > second)
        equal(await totals_of(records), {"received": 3, "stored": 0, "duplicate": 0, "quarantined": 3})
    equal(statuses, [AppendStatus.NEW, AppendStatus.NEW, AppendStatus.REPLAYED])
    equal(left, [["a"], [], []])


@FAMILY.promise(
    "settle items of several requests in one commit; an entry that resolves a number that nothing has is "
    "answered with REPLAYED"
)
async def items_of_several_requests_end_in_one_group(store: Store) -> None:
    async with opened(store) as (storage, records):
        for name in "abcd":
            await storage.append(holding(quarantined(name), quarantined(f"{name}2", 1)))
        numbers = await ids(records)
        answers = await asyncio.gather(*[storage.append(settling(number)) for number in [*numbers[:5], 10**9]])
        equal([answer.status for answer in answers], [AppendStatus.NEW] * 5 + [AppendStatus.REPLAYED])
        equal(await messages(records), ["c2", "d", "d2"])
        equal(
            await storage.append(holding(quarantined("a"), quarantined("c2", 1))),
            Appended(AppendStatus.NEW, duplicates=(1,)),
        )


@FAMILY.promise("when an idempotency key is replayed, quarantine nothing, and give the receipt of the first request")
async def a_replayed_request_quarantines_nothing_again_and_names_the_first_receipt(store: Store) -> None:
    async with opened(store) as (storage, _):
        first = await storage.append(attrs.evolve(holding(quarantined("a", keyed=False)), idempotency=claim("k")))
    async with opened(store) as (storage, records):
        again = await storage.append(attrs.evolve(holding(quarantined("a", keyed=False)), idempotency=claim("k")))
        equal((again.status, again.receipt == first.receipt > 0), (AppendStatus.REPLAYED, True))
        equal(await totals_of(records), {"received": 2, "stored": 0, "duplicate": 1, "quarantined": 1})


@FAMILY.promise("let one item of a request end without rewriting what the others have")
async def thousands_of_items_of_one_request_end_one_by_one(store: Store) -> None:
    items = [attrs.evolve(quarantined(f"m-{index}", index), payload=b"") for index in range(3000)]
    async with opened(store) as (storage, records):
        await storage.append(holding(*items))
        numbers = await ids(records)
        await asyncio.gather(*[storage.append(settling(number)) for number in numbers[:-1]])
        equal(await ids(records), numbers[-1:])
        equal(await storage.append(holding(items[0])), NEW)
        equal(await storage.append(holding(items[-1])), SEEN)
        await storage.append(settling(numbers[-1]))
        equal(len(await ids(records)), 1)
        equal([await records.settled(number) for number in (numbers[0], numbers[-1])], ["dropped", "dropped"])
