"""What every engine's Records promise of the way back: from an event to its receipt, and to its request."""

import attrs

from gateway.dialect.outcome import Fault, Outcome, Verdict
from gateway.records.raw_request import RawRequest, compress
from gateway.storage.contract import Entry, EventRow, QuarantinedItem
from gateway.storage.read import Position
from gateway.storage.records import Records
from gateway.storage.store import Store, StoreSettings
from gateway.testing.engine.expect import equal, holds
from gateway.testing.engine.given.entries import kept, key
from gateway.testing.engine.given.lines import MINUTE, START, line
from gateway.testing.engine.given.reading import positions_of
from gateway.testing.engine.promise import Family, ready_store

FAMILY = Family("event receipts", ready_store)

RAW = RawRequest("POST", "/batch", b"{}", b"{}", b'{"a":1}', "192.0.2.1", "site")
FAULT = Fault("required", "/event", {})


def _event(number: int, at: int = START, project: str = "shop") -> EventRow:
    return EventRow(line(number, project, at=at), key(f"{project}-{number}"))


def _entry(*rows: EventRow, at: int = START, project: str = "shop") -> Entry:
    return Entry(project, "toy", "track", at, rows)


def _mixed(number: int, at: int = START, raw: RawRequest = RAW) -> Entry:
    """A request with a stored item between a quarantined and a rejected one."""
    outcomes = (
        Outcome(Verdict.QUARANTINED, f"q-{number}", (FAULT,)),
        Outcome(Verdict.STORED, f"m-{number}"),
        Outcome(Verdict.REJECTED, f"r-{number}", (FAULT,)),
    )
    held = QuarantinedItem(
        f"q-{number}", b'[{"code":"required","pointer":"/event","detail":{}}]', b"", key(f"q{number}")
    )
    return attrs.evolve(_entry(_event(number, at), at=at), quarantined=(held,), outcomes=outcomes, request=kept(raw))


async def receipt_of(records: Records, position: Position) -> str | None:
    """Return the receipt of the event at a position, and make sure that it is the one that is found by its id."""
    found = await records.receipt_of(position)
    holds(found is None or found == await records.receipt(found["receipt"]))
    return None if found is None else str(found["receipt"])


async def fill(store: Store) -> tuple[dict[str, str], int]:
    """Append requests, among others with the clock set back; return the receipt of each event, and a held item's id."""
    receipts: dict[str, str] = {}

    async with store.storage(StoreSettings()) as storage, store.records() as records:

        async def put(given: Entry, *names: str) -> None:
            appended = await storage.append(given)
            receipts.update(dict.fromkeys(names, f"{appended.receipt:x}"))

        await put(_entry())
        await put(_entry(_event(1), _event(2), _event(3)), "m-1", "m-2", "m-3")
        await put(_entry(_event(2), _event(2), _event(4)), "m-4")
        await put(_mixed(5), "m-5", "q-5")
        await put(_entry())
        await put(_mixed(6, raw=attrs.evolve(RAW, body=b"another")), "m-6")
        await put(attrs.evolve(_entry(_event(7)), raw_compressed=compress(RAW)), "m-7")
        await put(_entry(_event(8, START + 90 * MINUTE), at=START + 90 * MINUTE), "m-8")
        await put(_entry(_event(9, START - MINUTE), at=START - MINUTE), "m-9")
        await put(_entry(_event(10, START + 90 * MINUTE), at=START + 90 * MINUTE), "m-10")
        first, second = [each["id"] async for each in records.quarantine()]
        replayed = EventRow(line(0).replace(b"m-0", b"q-5"), key("q5"))
        await storage.append(Entry("shop", "toy", "track", START + 2 * MINUTE, (replayed,), resolves=first))
        await put(_entry(_event(11, START + 91 * MINUTE), at=START + 91 * MINUTE), "m-11")
    return receipts, int(second)


@FAMILY.promise(
    "`receipt_of` finds the receipt of the entry that an event was committed with, or for a replayed item that"
    " of its first request; do not search by time: clocks are set back"
)
async def each_event_leads_to_its_receipt_whatever_the_clock_did(store: Store) -> None:
    receipts, _ = await fill(store)
    where = await positions_of(store)
    equal(where.keys(), receipts.keys())
    async with store.records() as records:
        equal({name: await receipt_of(records, position) for name, position in where.items()}, receipts)
        async with store.log() as log:
            equal(await records.receipt_of(log.parse_position("999999")), None)
        whole = await records.receipt_of(where["m-5"])
        assert whole is not None
        equal(
            [(each["verdict"], each.get("position"), each.get("since")) for each in whole["items"]],
            [
                ("quarantined", None, f"stored at position {where['q-5']}"),
                ("stored", where["m-5"], None),
                ("rejected", None, None),
            ],
        )


@FAMILY.promise(
    "`raw_of` finds the request of a receipt among those of stored events and those of quarantined items, or nothing"
)
async def a_receipt_leads_to_its_request_where_that_is_kept(store: Store) -> None:
    await fill(store)
    where = await positions_of(store)
    async with store.records() as records:

        async def request_of(name: str) -> bytes | None:
            receipt = await records.receipt_of(where[name])
            assert receipt is not None
            raw = await records.raw_of(receipt)
            return None if raw is None else raw.body

        equal(await request_of("m-7"), RAW.body)
        equal(await request_of("m-6"), b"another")  # as long as its item is in quarantine
        equal(await request_of("m-1"), None)
        equal(await request_of("q-5"), None)
