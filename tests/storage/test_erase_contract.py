"""What erasing a person promises, on each engine: what goes, what stays, and that it does not come back."""

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import orjson
import pytest

from gateway.dialect.outcome import Outcome, Verdict
from gateway.records.person import Person
from gateway.records.raw_request import RawRequest, compress
from gateway.storage.contract import Appended, Blob, Entry, EventRow, IdempotencyRecord, QuarantinedItem
from gateway.storage.engines import open_store
from gateway.storage.erasing.eraser import ErasureReport
from gateway.storage.held.record import QuarantineRecord
from gateway.storage.store import Store, StoreSettings
from tests.storage.stores import kept, key

START = 1_700_000_000_000
AT = START + 60_000
ANN = Person(project="shop", kind="user_id", id="ann@example.org")
NOTHING = ErasureReport()


def line(name: str, project: str = "shop", time: str = "2023-11-14T22:13:20.000Z", **fields: object) -> bytes:
    event = {"project": project, "dialect": "toy", "type": "track", "name": name, "message_id": f"id-{name}"}
    return orjson.dumps({**event, "timestamp": time, "received_at": time, **fields})


def row(name: str, **fields: object) -> EventRow:
    return EventRow(line(name, **fields), key(name))  # type: ignore[arg-type]


def entry(*rows: EventRow, project: str = "shop", **more: object) -> Entry:
    return Entry(project, "toy", "track", START, rows, **more)  # type: ignore[arg-type]


def hers(name: str, **fields: object) -> EventRow:
    return row(name, user_id="ann@example.org", properties={"secret": f"note of {name}"}, **fields)


def other(name: str, **fields: object) -> EventRow:
    return row(name, user_id="bob", **fields)


def raw(*parts: object) -> RawRequest:
    return RawRequest("POST", "/t", b"{}", b"{}", json.dumps(parts).encode())


def blob(content: bytes) -> Blob:
    return Blob(hashlib.sha256(content).hexdigest(), content)


def no_payload(_: QuarantineRecord) -> bytes | None:
    return None


@asynccontextmanager
async def erasing(store: Store) -> AsyncIterator["Both"]:
    async with store.storage(StoreSettings()) as storage:
        yield Both(store, storage)


@attrs.frozen
class Both:
    store: Store
    storage: object

    async def append(self, *entries: Entry) -> list[Appended]:
        return [await self.storage.append(each) for each in entries]  # type: ignore[attr-defined]

    async def erase(self, person: Person = ANN, at: int = AT, **options: object) -> ErasureReport:
        async with self.store.eraser(self.storage) as eraser:  # type: ignore[arg-type]
            how = {"payload_of": no_payload, **options}
            return await eraser.erase(person, at=at, **how)  # type: ignore[arg-type]


@pytest.fixture
def store(url: str) -> Store:
    found = open_store(url)
    if not hasattr(found, "eraser"):
        pytest.skip("this engine has no eraser yet")
    return found


async def names_of(store: Store) -> list[str]:
    return [json.loads(each)["name"] for _, each in await events_of_store(store)]


async def events_of_store(store: Store) -> list[tuple[object, bytes]]:
    async with store.log() as reader:
        page = await reader.page()
        return list(page.events)


async def counters(store: Store) -> dict[str, int]:
    async with store.records() as records:
        return {verdict: count for project, _, verdict, count in await records.counters() if project == "shop"}


async def test_a_persons_events_go_and_the_positions_of_others_stay(store: Store) -> None:
    async with erasing(store) as both:
        await both.append(
            entry(other("1"), hers("2", anonymous_id="a-7"), other("3")),
            entry(hers("4")),
            entry(row("5", previous_id="ann@example.org", user_id="u-9"), other("6", properties={"n": 1e3})),
            Entry("blog", "toy", "track", START, (row("7", project="blog", user_id="ann@example.org"),)),
        )
        before = await events_of_store(store)
        assert await both.erase(dry_run=True) == ErasureReport(
            events=3, other_ids=(("anonymous_id", "a-7"), ("user_id", "u-9"))
        )
        assert await events_of_store(store) == before

        report = await both.erase()

        assert attrs.evolve(report, left=()) == ErasureReport(
            events=3, other_ids=(("anonymous_id", "a-7"), ("user_id", "u-9"))
        )
        assert await events_of_store(store) == [each for each in before if json.loads(each[1])["name"] in "1367"]
        async with store.log() as reader:
            assert await reader.count() == 4
            assert (await reader.page_back()).lines == [each for _, each in await events_of_store(store)]
            assert await reader.at([before[1][0], before[2][0]]) == [before[2]]  # type: ignore[list-item]
        assert attrs.evolve(await both.erase(), left=()) == NOTHING
        assert await counters(store) == {"received": 6, "stored": 6, "erased": 3}


async def test_in_events_of_others_the_id_is_replaced_and_all_else_is_what_it_was(store: Store) -> None:
    async with erasing(store) as both:
        properties = {"to": "ann@example.org", "cc": ["x", "ann@example.org"], "text": "for ann@example.org", "n": 12.5}
        await both.append(entry(other("1", properties=properties, traits={"ann@example.org": 1}), other("2")))

        report = await both.erase()

        assert attrs.evolve(report, left=()) == ErasureReport(mentions=1, parts_left=1)
        first, second = [json.loads(each) for _, each in await events_of_store(store)]
        assert (first["properties"], first["traits"], first["user_id"], second["name"]) == (
            {"to": "[erased]", "cc": ["x", "[erased]"], "text": "for ann@example.org", "n": 12.5},
            {"[erased]": 1},
            "bob",
            "2",
        )


async def test_what_was_erased_does_not_come_back_and_what_the_person_does_later_is_stored(store: Store) -> None:
    async with erasing(store) as both:
        late = hers("late", anonymous_id=None)
        without_key = EventRow(line("keyless", user_id="ann@example.org"))
        await both.append(entry(hers("1"), other("2")))
        await both.erase()

        answers = await both.append(
            entry(hers("1"), raw_compressed=compress(raw("ann@example.org"))),
            entry(late, other("3")),
            entry(without_key),
            entry(hers("new", time="2030-01-01T00:00:00.000Z")),
            entry(
                EventRow(line("1", time="2030-01-01T00:00:00.000Z", user_id="ann@example.org"))
            ),  # the retry of an erased one
            entry(EventRow(line("1", time="2030-01-01T00:00:00.000Z", user_id="u-2"))),  # its id in another scope
        )

        assert [each.duplicates for each in answers] == [(0,), (0,), (0,), (), (0,), ()]
        assert await names_of(store) == ["2", "3", "new", "1"]
        async with store.records() as records:
            assert [each async for each in records.raw_events()] == []
        assert (await counters(store))["duplicate"] == 4


async def test_a_receipt_says_what_was_erased_and_keeps_the_verdicts(store: Store) -> None:
    async with erasing(store) as both:
        outcomes = (Outcome(Verdict.STORED, "id-1"), Outcome(Verdict.REJECTED, "id-x"), Outcome(Verdict.STORED, "id-2"))
        claim = IdempotencyRecord(b"d" * 16, b"f" * 16, outcomes[:1] + outcomes[2:])
        first, second, again = await both.append(
            entry(hers("1"), other("2"), outcomes=outcomes),
            entry(other("3"), hers("4")),
            entry(hers("1"), other("5"), idempotency=claim),
        )

        await both.erase()

        async with store.records() as records:
            found = [await records.receipt(f"{each.receipt:x}") for each in (first, second, again)]
        items = [
            [{k: v for k, v in item.items() if k != "position"} for item in each["items"]] for each in found if each
        ]
        assert items == [
            [
                {"verdict": "stored", "message_id": None, "erased": True},
                {"verdict": "rejected", "message_id": "id-x"},
                {"verdict": "stored", "message_id": "id-2"},
            ],
            [{"verdict": "stored", "message_id": "id-3"}, {"verdict": "stored", "message_id": None, "erased": True}],
            [{"verdict": "duplicate", "message_id": None}, {"verdict": "stored", "message_id": "id-5"}],
        ]


async def test_kept_requests_and_quarantined_items_of_the_person_go_and_those_of_others_stay(store: Store) -> None:
    async with erasing(store) as both:
        faults = b'[{"code":"required","pointer":"/event","detail":{}}]'
        bad = [QuarantinedItem(f"q-{number}", faults, key=key(f"q{number}"), index=number) for number in range(3)]
        request = kept(raw({"u": "bob"}, {"u": "ann@example.org"}, {"u": "eve"}))
        held = [Outcome(Verdict.QUARANTINED, each.message_id) for each in bad]
        await both.append(
            entry(quarantined=tuple(bad), request=request, outcomes=tuple(held)),
            entry(other("1"), raw_compressed=compress(raw("ann@example.org"))),
            entry(other("2"), raw_compressed=compress(raw("bob"))),
        )
        payloads = {0: b'{"u":"bob"}', 1: b'{"u":"ann@example.org"}', 2: b'{"u":"eve"}'}

        report = await both.erase(payload_of=lambda item: payloads[item.index or 0])

        assert (report.quarantined, report.kept_requests) == (1, 1)
        async with store.records() as records:
            rows = [each async for each in records.quarantine()]
            assert [(each["message_id"], each["payload"]) for each in rows] == [
                ("q-0", '{"u":"bob"}'),
                ("q-2", '{"u":"eve"}'),
            ]
            assert [each.raw.body async for each in records.raw_events()] == [b'["bob"]']
        [retry] = await both.append(entry(quarantined=tuple(bad), request=request, outcomes=tuple(held)))
        assert retry.duplicates == (0, 1, 2)
        again = await both.erase(payload_of=lambda item: payloads[item.index or 0])
        assert attrs.evolve(again, left=()) == ErasureReport(receipts=1)  # that of the retry


async def test_a_file_goes_with_the_last_event_that_names_it(store: Store) -> None:
    own, shared = blob(b"own"), blob(b"shared")
    async with erasing(store) as both:
        files = [{"sha256": each.name} for each in (own, shared)]
        await both.append(
            entry(hers("1", context={"toy": files}), blobs=(own, shared)),
            entry(other("2", context={"toy": files[1:]}), blobs=(shared,)),
        )

        assert (await both.erase()).files == 1

        async with store.move_source() as source:
            assert [await source.blob("shop", each.name) for each in (own, shared)] == [None, b"shared"]
        await both.append(entry(hers("1", context={"toy": files}), blobs=(own,)))
        async with store.move_source() as source:
            assert await source.blob("shop", own.name) is None
