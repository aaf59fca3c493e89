"""What every engine's Records promise of receipts, and of the requests of stored events."""

import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256

import attrs

from gateway.dialect.outcome import Fault, Outcome, Verdict
from gateway.records.raw_request import RawRequest, compress
from gateway.storage.contract import Entry, EventRow, QuarantinedItem, SubmittingStorage
from gateway.storage.read import Position, export
from gateway.storage.records import RawEvents, Records
from gateway.storage.store import Store, StoreSettings
from tests.storage.stores import entry, kept, key, row

FAULTS = b'[{"code":"required","pointer":"/event","detail":{}}]'
START = 1_700_000_000
RAW = RawRequest("POST", "/batch", b'{"a":"1"}', b'{"host":"h"}', b"\xff{}", "192.0.2.1", "site")


def event(name: str) -> EventRow:
    return EventRow(json.dumps({"project": "p", "message_id": name}, separators=(",", ":")).encode(), key(name))


def bad(name: str, index: int = 0) -> QuarantinedItem:
    return QuarantinedItem(name, FAULTS, b"", key(name), index)


def at(seconds: float, given: Entry) -> Entry:
    return attrs.evolve(given, received_at=int((START + seconds) * 1000))


def held(*items: QuarantinedItem) -> Entry:
    return attrs.evolve(entry(quarantined=items), request=kept(RAW))


@asynccontextmanager
async def opened(store: Store) -> AsyncIterator[tuple[SubmittingStorage, Records]]:
    """The writer of a store, and a reader of its records."""
    async with store.storage(StoreSettings()) as storage, store.records() as records:
        yield storage, records


async def positions(store: Store) -> dict[str, Position]:
    """The position of each event, by its message id."""
    async with store.log() as log:
        return {
            str(json.loads(line)["message_id"]): position
            async for page in export(log)
            for position, line in page.events
        }


async def number_of(records: Records, name: str) -> int:
    """The id of a quarantined item."""
    [number] = [each["id"] async for each in records.quarantine() if each["message_id"] == name]
    return int(number)


async def test_a_receipt_has_the_outcome_of_each_item_and_how_it_went_on(store: Store) -> None:
    async with opened(store) as (storage, records):
        plain = await storage.append(entry(event("a"), event("b")))
        faults = (Fault("required", "/event", {}),)
        outcomes = (
            Outcome(Verdict.STORED, "a"),
            Outcome(Verdict.QUARANTINED, "q", faults),
            Outcome(Verdict.STORED, "c"),
            Outcome(Verdict.REJECTED, "bad", faults),
            Outcome(Verdict.QUARANTINED, "r", faults),
        )
        mixed = await storage.append(
            attrs.evolve(
                entry(event("a"), event("c"), quarantined=(bad("q", 1), bad("r", 4))),
                outcomes=outcomes,
                request=kept(RAW),
            )
        )
        empty = await storage.append(entry())
        stored, (q, r) = await positions(store), [await number_of(records, name) for name in "qr"]
        head = {"project": "p", "dialect": "toy", "route": "track", "received_at": "2023-11-14T22:13:20.000Z"}
        assert await records.receipt(f"{plain.receipt:x}") == {
            "receipt": f"{plain.receipt:x}",
            **head,
            "items": [{"verdict": "stored", "message_id": name, "position": stored[name]} for name in "ab"],
        }
        fault = {"code": "required", "pointer": "/event", "detail": {}}
        items: list[dict[str, object]] = [
            {"verdict": "duplicate", "message_id": "a"},
            {"verdict": "quarantined", "message_id": "q", "quarantine": q, "faults": [fault]},
            {"verdict": "stored", "message_id": "c", "position": stored["c"]},
            {"verdict": "rejected", "message_id": "bad", "faults": [fault]},
            {"verdict": "quarantined", "message_id": "r", "quarantine": r, "faults": [fault]},
        ]
        assert await records.receipt(f"{mixed.receipt:x}") == {"receipt": f"{mixed.receipt:x}", **head, "items": items}
        assert await records.receipt(f"{empty.receipt:x}") == {"receipt": f"{empty.receipt:x}", **head, "items": []}

        await storage.append(attrs.evolve(entry(event("q")), resolves=q))
        await storage.append(attrs.evolve(entry(), resolves=r))
        items[1]["since"] = f"stored at position {(await positions(store))['q']}"
        items[4]["since"] = "dropped"
        found = await records.receipt(f"{mixed.receipt:X}")
        assert found is not None
        assert found["items"] == items

        for unknown in ("0", "zzz", "f" * 16, "1" * 40, "../2", f"{plain.receipt + 1:x}"):
            assert await records.receipt(unknown) is None


async def test_a_receipt_of_very_many_items_has_their_ids_from_where_else_they_are(store: Store) -> None:
    names = [sha256(str(number).encode()).hexdigest()[:16] for number in range(4000)]
    stored = [event(name) for name in names[:2000]]
    # What clients named is in their request anyhow; only the ids that the gateway made are kept.
    quarantined = tuple([attrs.evolve(bad(name, index), key=None) for index, name in enumerate(names[2000:], 2000)])
    async with opened(store) as (storage, records):
        answer = await storage.append(attrs.evolve(entry(*stored, quarantined=quarantined), request=kept(RAW)))
        found = await records.receipt(f"{answer.receipt:x}")
        assert found is not None
        assert [item["verdict"] for item in found["items"]] == ["stored"] * 2000 + ["quarantined"] * 2000
        assert [item["message_id"] for item in found["items"]] == names
        places = await positions(store)
        assert [item["position"] for item in found["items"][:2000]] == [places[name] for name in names[:2000]]


async def test_receipts_of_many_projects_are_found_by_their_id_alone(store: Store) -> None:
    projects = [f"project {number % 7}{'!' * (number % 3)}" for number in range(40)]
    async with opened(store) as (storage, records):
        answers = [
            await storage.append(attrs.evolve(entry(row(number), project=project), received_at=1_700_000_000_000))
            for number, project in enumerate(projects)
        ]
        for project, answer in zip(projects, answers, strict=True):
            found = await records.receipt(f"{answer.receipt:x}")
            assert found is not None
            assert found["project"] == project


async def test_kept_requests_come_with_the_events_that_they_became_oldest_first(store: Store) -> None:
    def raw(number: int) -> RawRequest:
        return attrs.evolve(RAW, body=f"request {number}".encode())

    async with opened(store) as (storage, records):
        first = await storage.append(
            attrs.evolve(
                entry(event("a"), event("b"), quarantined=(bad("q", 2), bad("r", 3))),
                raw_compressed=compress(raw(0)),
                request=kept(raw(0)),
            )
        )
        second = await storage.append(
            at(
                1,
                attrs.evolve(
                    entry(event("c"), event("c"), event("d"), project="blog"), raw_compressed=compress(raw(1))
                ),
            )
        )
        await storage.append(at(2, entry(event("no request"))))
        await storage.append(at(86_400, attrs.evolve(entry(event("q")), resolves=await number_of(records, "q"))))
        where = await positions(store)
        lines = {name: event(name).body for name in where}
        found = [each async for each in records.raw_events()]
        assert [(each.receipt, each.received_at, each.project, each.dialect, each.route) for each in found] == [
            (first.receipt, START * 1000, "p", "toy", "track"),
            (second.receipt, START * 1000 + 1000, "blog", "toy", "track"),
        ]
        assert [each.raw for each in found] == [raw(0), raw(1)]
        assert [parsed(each) for each in found] == [
            {index: (where[name], json.loads(lines[name])) for index, name in ((0, "a"), (1, "b"), (2, "q"))},
            {index: (where[name], json.loads(lines[name])) for index, name in ((0, "c"), (2, "d"))},
        ]
        assert [each.receipt async for each in records.raw_events("blog")] == [second.receipt]
        assert [each async for each in records.raw_events("nobody")] == []


def parsed(kept_events: RawEvents) -> dict[int, tuple[Position, object]]:
    return {index: (position, json.loads(line)) for index, (position, line) in kept_events.events.items()}


async def test_more_kept_requests_than_a_page_has_come_each_once(store: Store) -> None:
    async with opened(store) as (storage, records):
        for number in range(250):
            of_one = entry(event(f"m{number}"), project=f"p{number % 3}")
            large = compress(attrs.evolve(RAW, body=bytes(1000)))
            await storage.append(at(number / 10, attrs.evolve(of_one, raw_compressed=large)))
        found = [each async for each in records.raw_events()]
        assert [json.loads(each.events[0][1])["message_id"] for each in found] == [f"m{n}" for n in range(250)]
        huge = random.Random(1).randbytes(3 << 20)
        for number in range(3):
            of_one = attrs.evolve(entry(event(f"huge{number}")), raw_compressed=compress(attrs.evolve(RAW, body=huge)))
            await storage.append(at(100 + number, of_one))
        assert [len(each.raw.body) async for each in records.raw_events("p")] == [3 << 20] * 3
        one = [each.receipt async for each in records.raw_events("p1")]
        assert one == [each.receipt for each in found if each.project == "p1"]


async def test_a_line_is_replaced_where_it_is_still_the_old_one(store: Store) -> None:
    def line(name: str, to: str) -> bytes:
        event = {"project": "p", "dialect": "toy", "type": "track", "name": to, "message_id": name, "user_id": None}
        return json.dumps({**event, "timestamp": "2023-11-14T22:13:20.000Z", "properties": {"a": 1.50}}).encode()

    async with opened(store) as (storage, records):
        for name in "abc":
            await storage.append(entry(EventRow(line(name, "old"), key(name))))
        where = await positions(store)
        changes = [
            (where["a"], line("a", "old"), line("a", "new \0 name")),
            (where["b"], line("b", "other"), line("b", "new")),
            (where["c"], line("c", "old"), line("c", "new")),
        ]
        assert await records.rewrite(changes[:2]) == 1
        assert await records.rewrite(changes) == 1
        assert await records.rewrite([]) == 0
        async with store.log() as log:
            events = [json.loads(each) async for page in export(log) for each in page.lines]
        assert events == [json.loads(line(*each)) for each in (("a", "new \0 name"), ("b", "old"), ("c", "new"))]
