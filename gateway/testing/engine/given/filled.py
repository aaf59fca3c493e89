"""A store that has some of everything, and all that a store has as values that are the same on each engine."""

import hashlib
import json
import time
from typing import Any

import attrs

from gateway.dialect.outcome import Outcome, Verdict
from gateway.operate.moving.digest import canonical
from gateway.records.raw_request import RawRequest, compress
from gateway.storage.contract import (
    Appended,
    Blob,
    Entry,
    EventRow,
    IdempotencyRecord,
    KeptRequest,
    QuarantinedItem,
)
from gateway.storage.read import export
from gateway.storage.store import Store, StoreSettings
from gateway.testing.engine.given.entries import key
from gateway.testing.engine.given.lines import line
from gateway.testing.engine.given.rejections import rejection
from gateway.testing.engine.given.toy import TOY

NOW = time.time_ns() // 1_000_000
DAY = 86_400_000
KIND = TOY.kinds[0]
FAULTS = b'[{"code":"required","pointer":"/event","detail":{}}]'
RAW = RawRequest("POST", "/batch", b'{"a":"1"}', b'{"host":"h"}', b"{}", "192.0.2.1", "site")
FILE = b"a file"
NUMBERS = {"big": 123456789012345678901, "float": 1.5, "exponent": 1e22, "zero": -0.0, "tiny": 5e-324, "none": 0}


def events(*numbers: int, project: str = "shop", at: int = NOW) -> tuple[EventRow, ...]:
    """Rows whose client named them."""
    return tuple(
        [
            EventRow(line(number, project, at=at, name=f"n{number % 3}", user_id="ü\u2028"), key(f"{project}-{number}"))
            for number in numbers
        ]
    )


def entry(rows: tuple[EventRow, ...], project: str = "shop", at: int = NOW, **fields: Any) -> Entry:
    """Return an entry with these rows."""
    return Entry(project, "toy", "track", at, rows, **fields)


def quarantined(name: str, index: int) -> QuarantinedItem:
    """Return an invalid item."""
    return QuarantinedItem(name, FAULTS, b'{"a":1}', key(f"shop-{name}"), index)


def mixed(at: int = NOW) -> Entry:
    """A request with a stored item, a duplicate, two quarantined items and an invalid one."""
    outcomes = (
        Outcome(Verdict.STORED, "m-1"),
        Outcome(Verdict.STORED, "m-40"),
        Outcome(Verdict.QUARANTINED, "q-1"),
        Outcome(Verdict.QUARANTINED, "q-2"),
        Outcome(Verdict.REJECTED, "r-1"),
    )
    return entry(
        events(1, 40, at=at),
        at=at,
        quarantined=(quarantined("q-1", 2), quarantined("q-2", 3)),
        outcomes=outcomes,
        request=KeptRequest(compress(RAW), 2, hashlib.sha256(b"{}").digest()),
    )


def claimed(*numbers: int, at: int = NOW) -> Entry:
    """A request with an idempotency key."""
    outcomes = tuple([Outcome(Verdict.STORED, f"m-{number}") for number in numbers])
    record = IdempotencyRecord(b"digest of key 16", b"fingerprint 16by", outcomes)
    return entry(events(*numbers, at=at), at=at, idempotency=record)


async def fill(store: Store, *, older: bool = True) -> None:
    """Put some of everything into an empty store that is prepared."""
    async with store.storage(StoreSettings()) as storage:

        async def put(entry: Entry) -> Appended:
            return await storage.append(entry)

        if older:
            for number in range(1, 4):
                await put(entry(events(number, at=NOW - (5 - number) * DAY), at=NOW - (5 - number) * DAY))
        await put(entry(events(*range(1, 40))))
        await put(attrs.evolve(mixed(), raw_compressed=b""))
        await put(attrs.evolve(entry(events(50, 51)), raw_compressed=compress(RAW)))
        await put(entry((EventRow(line(60, properties=NUMBERS, context={"nul": "a\0b"}), key("shop-60")),)))
        await put(claimed(70, 71))
        digest = hashlib.sha256(FILE).hexdigest()
        of_file = line(80, properties={"files": [{"name": "f", "sha256": digest}]})
        await put(entry((EventRow(of_file, None),), blobs=(Blob(digest, FILE),)))
        await put(entry(events(*range(100, 110), project="other"), "other"))
        await put(entry((EventRow(line(81, name="replayed"), key("shop-q-1")),), resolves=1))
        await put(entry(()))
    log = store.rejected_log(StoreSettings())
    async with log.running():
        log.add(rejection("shop", items=2))
        log.add(rejection(None))
    uses = store.use_log()
    async with uses.running():
        uses.add("shop", "key_1", NOW)
        uses.add("shop", "key_1", NOW - DAY, rejected=True)
    async with store.keys(make=True) as keys:
        shown = await keys.add("shop", TOY, KIND, now=NOW, value="toy_secret_value_1", label="Till 1")
        await keys.add("other", TOY, KIND, now=NOW)
        await keys.revoke(shown.record.id, now=NOW + 1)
        await keys.add("shop", TOY, KIND, now=NOW, value="toy_secret_value_2", origins=["a.example"], expires=NOW + DAY)
        ended = await keys.add("other", TOY, KIND, now=NOW)
        await keys.rotate(ended.record.id, KIND, now=NOW, grace=60)
        await keys.new_admin_token()


async def contents(store: Store) -> dict[str, Any]:
    """Return all that a store has, without positions."""
    found: dict[str, Any] = {}
    async with store.log() as log:
        lines = [each async for page in export(log) for each in page.events]
        found["events"] = [canonical(each) for _, each in lines]
        at = {str(position): canonical(each) for position, each in lines}
    async with store.records() as records:
        found["quarantine"] = [each async for each in records.quarantine()]
        found["requests"] = [await records.quarantine_record(each["id"]) for each in found["quarantine"]]
        found["counters"] = await records.counters()
        found["buckets"] = [await records.counter_buckets(span, 0) for span in (60, 3600)]
        found["rejected"] = [each async for each in records.rejected_requests()]
        found["one rejected"] = [await records.rejected_request(each["id"]) for each in found["rejected"]]
        found["rejected counts"] = await records.rejected_counts(), await records.rejected_buckets(60, 0)
        found["uses"] = [await records.credential_uses(NOW // DAY - ago) for ago in (0, 1)]
        found["raws"] = [
            (each.receipt, each.raw, {index: canonical(text) for index, (_, text) in each.events.items()})
            async for each in records.raw_events()
        ]
        ended = await records.settled(1)
        found["settled"] = None if ended is None else at[ended.removeprefix("stored at position ")]
    async with store.keys() as keys:
        found["keys"] = await keys.list()
        found["admin"] = await keys.admin()
        found["keyring"] = await keys.load()
    return found


async def receipts(store: Store, ids: list[int]) -> list[Any]:
    """Return receipts, with the events in place of their positions."""
    async with store.log() as log, store.records() as records:
        at = {str(position): each async for page in export(log) for position, each in page.events}
        found = [await records.receipt(f"{number:x}") for number in ids]
    for receipt in found:
        assert receipt is not None
        for item in receipt["items"]:
            if "position" in item:
                item["position"] = json.loads(at[str(item["position"])])["message_id"]
            if "position" in item.get("since", ""):
                item["since"] = json.loads(at[item["since"].rpartition(" ")[2]])["message_id"]
    return found
