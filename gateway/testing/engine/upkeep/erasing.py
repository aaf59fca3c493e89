"""What erasing a person promises, on each engine: what goes, what stays, and that it does not come back."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import attrs

from gateway.dialect.outcome import Outcome, Verdict
from gateway.records.person import Person
from gateway.records.raw_request import compress
from gateway.storage.contract import (
    Appended,
    Entry,
    EventRow,
    IdempotencyRecord,
    QuarantinedItem,
    SubmittingStorage,
)
from gateway.storage.erasing.eraser import ErasureReport
from gateway.storage.erasing.step import ErasingStorage
from gateway.storage.read import Position
from gateway.storage.store import Store, StoreSettings
from gateway.testing.engine.expect import equal
from gateway.testing.engine.given.entries import kept, key
from gateway.testing.engine.given.persons import (
    ANN,
    AT,
    NOTHING,
    START,
    blob,
    entry,
    hers,
    line,
    no_payload,
    other,
    raw,
    row,
)
from gateway.testing.engine.given.reading import events_of
from gateway.testing.engine.promise import Family, ready_store
from gateway.testing.engine.under_test import EngineUnderTest


@attrs.frozen
class Erasing:
    """A store with its writer, from which persons are erased."""

    store: Store
    storage: SubmittingStorage

    async def append(self, *entries: Entry) -> list[Appended]:
        """Append entries one after the other."""
        return [await self.storage.append(each) for each in entries]

    async def erase(self, person: Person = ANN, at: int = AT, **options: Any) -> ErasureReport:
        """Erase a person."""
        async with self.store.eraser(cast(ErasingStorage, self.storage)) as eraser:
            return await eraser.erase(person, at=at, **{"payload_of": no_payload, **options})

    async def events(self) -> list[tuple[Position, bytes]]:
        """Return all events."""
        return await events_of(self.store)

    async def names(self) -> list[str]:
        """Return the names of all events."""
        return [json.loads(each)["name"] for _, each in await self.events()]

    async def counters(self) -> dict[str, int]:
        """Return the counters of a project."""
        async with self.store.records() as records:
            return {verdict: count for project, _, verdict, count in await records.counters() if project == "shop"}


@asynccontextmanager
async def opened(engine: EngineUnderTest) -> AsyncIterator[Erasing]:
    """Open an empty store of an engine."""
    async with ready_store(engine) as store, store.storage(StoreSettings()) as storage:
        yield Erasing(store, storage)


FAMILY = Family("erasing", opened)


@FAMILY.promise(
    "erase the events whose user_id, anonymous_id or previous_id is the person's, of one project; keep the "
    "positions of all others; with dry_run only report"
)
async def a_persons_events_go_and_the_positions_of_others_stay(erasing: Erasing) -> None:
    await erasing.append(
        entry(other("1"), hers("2", anonymous_id="a-7"), other("3")),
        entry(hers("4")),
        entry(row("5", previous_id="ann@example.org", user_id="u-9"), other("6", properties={"n": 1e3})),
        Entry("blog", "toy", "track", START, (row("7", project="blog", user_id="ann@example.org"),)),
    )
    before = await erasing.events()
    equal(
        await erasing.erase(dry_run=True),
        ErasureReport(events=3, other_ids=(("anonymous_id", "a-7"), ("user_id", "u-9"))),
    )
    equal(await erasing.events(), before)

    report = await erasing.erase()

    equal(
        attrs.evolve(report, left=()),
        ErasureReport(events=3, other_ids=(("anonymous_id", "a-7"), ("user_id", "u-9"))),
    )
    equal(await erasing.events(), [each for each in before if json.loads(each[1])["name"] in "1367"])
    async with erasing.store.log() as reader:
        equal(await reader.count(), 4)
        equal((await reader.page_back()).lines, [each for _, each in await erasing.events()])
        equal(await reader.at([before[1][0], before[2][0]]), [before[2]])
    equal(attrs.evolve(await erasing.erase(), left=()), NOTHING)
    equal(await erasing.counters(), {"received": 6, "stored": 6, "erased": 3})


@FAMILY.promise(
    "write [erased] for the id wherever it is a whole value or a key of an event of somebody else, and report "
    "parts of texts that are left"
)
async def in_events_of_others_the_id_is_replaced_and_all_else_is_what_it_was(erasing: Erasing) -> None:
    properties = {"to": "ann@example.org", "cc": ["x", "ann@example.org"], "text": "for ann@example.org", "n": 12.5}
    await erasing.append(entry(other("1", properties=properties, traits={"ann@example.org": 1}), other("2")))

    report = await erasing.erase()

    equal(attrs.evolve(report, left=()), ErasureReport(mentions=1, parts_left=1))
    first, second = [json.loads(each) for _, each in await erasing.events()]
    equal(
        (first["properties"], first["traits"], first["user_id"], second["name"]),
        (
            {"to": "[erased]", "cc": ["x", "[erased]"], "text": "for ann@example.org", "n": 12.5},
            {"[erased]": 1},
            "bob",
            "2",
        ),
    )


@FAMILY.promise(
    "keep the dedupe keys of erased events, and hashes of the person and of the message ids: what was sent "
    "before the erasure and comes again is a duplicate"
)
async def what_was_erased_does_not_come_back_and_what_the_person_does_later_is_stored(erasing: Erasing) -> None:
    late = hers("late", anonymous_id=None)
    without_key = EventRow(line("keyless", user_id="ann@example.org"))
    await erasing.append(entry(hers("1"), other("2")))
    await erasing.erase()

    answers = await erasing.append(
        entry(hers("1"), raw_compressed=compress(raw("ann@example.org"))),
        entry(late, other("3")),
        entry(without_key),
        entry(hers("new", time="2030-01-01T00:00:00.000Z")),
        entry(
            EventRow(line("1", time="2030-01-01T00:00:00.000Z", user_id="ann@example.org"))
        ),  # the retry of an erased one
        entry(EventRow(line("1", time="2030-01-01T00:00:00.000Z", user_id="u-2"))),  # its id in another scope
    )

    equal([each.duplicates for each in answers], [(0,), (0,), (0,), (), (0,), ()])
    equal(await erasing.names(), ["2", "3", "new", "1"])
    async with erasing.store.records() as records:
        equal([each async for each in records.raw_events()], [])
    equal((await erasing.counters())["duplicate"], 4)


@FAMILY.promise("keep the verdicts of a receipt, and take the message id of an erased item out of it (`erased`)")
async def a_receipt_says_what_was_erased_and_keeps_the_verdicts(erasing: Erasing) -> None:
    outcomes = (Outcome(Verdict.STORED, "id-1"), Outcome(Verdict.REJECTED, "id-x"), Outcome(Verdict.STORED, "id-2"))
    claim = IdempotencyRecord(b"d" * 16, b"f" * 16, outcomes[:1] + outcomes[2:])
    first, second, again = await erasing.append(
        entry(hers("1"), other("2"), outcomes=outcomes),
        entry(other("3"), hers("4")),
        entry(hers("1"), other("5"), idempotency=claim),
    )

    await erasing.erase()

    async with erasing.store.records() as records:
        found = [await records.receipt(f"{each.receipt:x}") for each in (first, second, again)]
    items = [[{k: v for k, v in item.items() if k != "position"} for item in each["items"]] for each in found if each]
    equal(
        items,
        [
            [
                {"verdict": "stored", "message_id": None, "erased": True},
                {"verdict": "rejected", "message_id": "id-x"},
                {"verdict": "stored", "message_id": "id-2"},
            ],
            [
                {"verdict": "stored", "message_id": "id-3"},
                {"verdict": "stored", "message_id": None, "erased": True},
            ],
            [{"verdict": "duplicate", "message_id": None}, {"verdict": "stored", "message_id": "id-5"}],
        ],
    )


@FAMILY.promise(
    "drop the kept requests that name the person, and the quarantined items whose payload does; keep the keys "
    "of those items"
)
async def kept_requests_and_quarantined_items_of_the_person_go_and_those_of_others_stay(erasing: Erasing) -> None:
    faults = b'[{"code":"required","pointer":"/event","detail":{}}]'
    bad = [QuarantinedItem(f"q-{number}", faults, key=key(f"q{number}"), index=number) for number in range(3)]
    request = kept(raw({"u": "bob"}, {"u": "ann@example.org"}, {"u": "eve"}))
    held = [Outcome(Verdict.QUARANTINED, each.message_id) for each in bad]
    await erasing.append(
        entry(quarantined=tuple(bad), request=request, outcomes=tuple(held)),
        entry(other("1"), raw_compressed=compress(raw("ann@example.org"))),
        entry(other("2"), raw_compressed=compress(raw("bob"))),
    )
    payloads = {0: b'{"u":"bob"}', 1: b'{"u":"ann@example.org"}', 2: b'{"u":"eve"}'}

    report = await erasing.erase(payload_of=lambda item: payloads[item.index or 0])

    equal((report.quarantined, report.kept_requests), (1, 1))
    async with erasing.store.records() as records:
        rows = [each async for each in records.quarantine()]
        equal(
            [(each["message_id"], each["payload"]) for each in rows],
            [
                ("q-0", '{"u":"bob"}'),
                ("q-2", '{"u":"eve"}'),
            ],
        )
        equal([each.raw.body async for each in records.raw_events()], [b'["bob"]'])
    [retry] = await erasing.append(entry(quarantined=tuple(bad), request=request, outcomes=tuple(held)))
    equal(retry.duplicates, (0, 1, 2))
    again = await erasing.erase(payload_of=lambda item: payloads[item.index or 0])
    equal(attrs.evolve(again, left=()), ErasureReport(receipts=1))  # that of the retry


@FAMILY.promise(
    "delete a file (Entry.blobs) when no event names it any more, and do not keep it again for an event that "
    "is a duplicate"
)
async def a_file_goes_with_the_last_event_that_names_it(erasing: Erasing) -> None:
    own, shared = blob(b"own"), blob(b"shared")
    files = [{"sha256": each.name} for each in (own, shared)]
    await erasing.append(
        entry(hers("1", context={"toy": files}), blobs=(own, shared)),
        entry(other("2", context={"toy": files[1:]}), blobs=(shared,)),
    )

    equal((await erasing.erase()).files, 1)

    async with erasing.store.move_source() as source:
        equal([await source.blob("shop", each.name) for each in (own, shared)], [None, b"shared"])
    await erasing.append(entry(hers("1", context={"toy": files}), blobs=(own,)))
    async with erasing.store.move_source() as source:
        equal(await source.blob("shop", own.name), None)
