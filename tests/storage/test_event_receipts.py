"""What every engine's Records promise of the way back: from an event to its receipt, and to its request."""

import json
from pathlib import Path

import attrs

from gateway.dialect.outcome import Fault, Outcome, Verdict
from gateway.operate.moving.move import Move
from gateway.records.raw_request import RawRequest, compress
from gateway.storage.contract import Entry, EventRow, QuarantinedItem
from gateway.storage.engines import open_store
from gateway.storage.read import Position, export
from gateway.storage.records import Records
from gateway.storage.store import Store, StoreSettings
from tests.kit.event_lines import MINUTE, START, line
from tests.storage.stores import kept, key

RAW = RawRequest("POST", "/batch", b"{}", b"{}", b'{"a":1}', "192.0.2.1", "site")
FAULT = Fault("required", "/event", {})


def event(number: int, at: int = START, project: str = "shop") -> EventRow:
    return EventRow(line(number, project, at=at), key(f"{project}-{number}"))


def entry(*rows: EventRow, at: int = START, project: str = "shop") -> Entry:
    return Entry(project, "toy", "track", at, rows)


def mixed(number: int, at: int = START, raw: RawRequest = RAW) -> Entry:
    """A request with a stored item between a quarantined and a rejected one."""
    outcomes = (
        Outcome(Verdict.QUARANTINED, f"q-{number}", (FAULT,)),
        Outcome(Verdict.STORED, f"m-{number}"),
        Outcome(Verdict.REJECTED, f"r-{number}", (FAULT,)),
    )
    held = QuarantinedItem(
        f"q-{number}", b'[{"code":"required","pointer":"/event","detail":{}}]', b"", key(f"q{number}")
    )
    return attrs.evolve(entry(event(number, at), at=at), quarantined=(held,), outcomes=outcomes, request=kept(raw))


async def positions(store: Store) -> dict[str, Position]:
    """The position of each event, by its message id."""
    async with store.log() as log:
        return {
            str(json.loads(text)["message_id"]): position
            async for page in export(log)
            for position, text in page.events
        }


async def receipt_of(records: Records, position: Position) -> str | None:
    found = await records.receipt_of(position)
    assert found is None or found == await records.receipt(found["receipt"])
    return None if found is None else str(found["receipt"])


async def fill(store: Store) -> tuple[dict[str, str], int]:
    """Append requests, among others with the clock set back; return the receipt of each event, and a held item's id."""
    receipts: dict[str, str] = {}

    async with store.storage(StoreSettings()) as storage, store.records() as records:

        async def put(given: Entry, *names: str) -> None:
            appended = await storage.append(given)
            receipts.update(dict.fromkeys(names, f"{appended.receipt:x}"))

        await put(entry())
        await put(entry(event(1), event(2), event(3)), "m-1", "m-2", "m-3")
        await put(entry(event(2), event(2), event(4)), "m-4")
        await put(mixed(5), "m-5", "q-5")
        await put(entry())
        await put(mixed(6, raw=attrs.evolve(RAW, body=b"another")), "m-6")
        await put(attrs.evolve(entry(event(7)), raw_compressed=compress(RAW)), "m-7")
        await put(entry(event(8, START + 90 * MINUTE), at=START + 90 * MINUTE), "m-8")
        await put(entry(event(9, START - MINUTE), at=START - MINUTE), "m-9")
        await put(entry(event(10, START + 90 * MINUTE), at=START + 90 * MINUTE), "m-10")
        first, second = [each["id"] async for each in records.quarantine()]
        replayed = EventRow(line(0).replace(b"m-0", b"q-5"), key("q5"))
        await storage.append(Entry("shop", "toy", "track", START + 2 * MINUTE, (replayed,), resolves=first))
        await put(entry(event(11, START + 91 * MINUTE), at=START + 91 * MINUTE), "m-11")
    return receipts, int(second)


async def test_each_event_leads_to_its_receipt_whatever_the_clock_did(store: Store) -> None:
    receipts, _ = await fill(store)
    where = await positions(store)
    assert where.keys() == receipts.keys()
    async with store.records() as records:
        assert {name: await receipt_of(records, position) for name, position in where.items()} == receipts
        async with store.log() as log:
            assert await records.receipt_of(log.parse_position("999999")) is None
        whole = await records.receipt_of(where["m-5"])
        assert whole is not None
        assert [(each["verdict"], each.get("position"), each.get("since")) for each in whole["items"]] == [
            ("quarantined", None, f"stored at position {where['q-5']}"),
            ("stored", where["m-5"], None),
            ("rejected", None, None),
        ]


async def test_a_receipt_leads_to_its_request_where_that_is_kept(store: Store) -> None:
    await fill(store)
    where = await positions(store)
    async with store.records() as records:

        async def request_of(name: str) -> bytes | None:
            receipt = await records.receipt_of(where[name])
            assert receipt is not None
            raw = await records.raw_of(receipt)
            return None if raw is None else raw.body

        assert await request_of("m-7") == RAW.body
        assert await request_of("m-6") == b"another"  # as long as its item is in quarantine
        assert await request_of("m-1") is None
        assert await request_of("q-5") is None


async def test_an_event_that_was_moved_to_the_other_engine_is_found_by_its_old_position_too(
    store: Store, database: str, tmp_path: Path
) -> None:
    receipts, _ = await fill(store)
    old = await positions(store)
    target = open_store(database if store.directory else f"sqlite:{tmp_path / 'moved'}")
    async with store.move_source() as source, target.move_target() as there:
        await Move(source, there, lambda _said: None).run()
    new = await positions(target)
    async with target.records() as records:
        for where in (old, new):
            assert {name: await receipt_of(records, position) for name, position in where.items()} == receipts
