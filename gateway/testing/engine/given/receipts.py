"""What the checks of receipts and of kept requests write."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs

from gateway.records.raw_request import RawRequest
from gateway.storage.contract import Entry, EventRow, QuarantinedItem, SubmittingStorage
from gateway.storage.records import Records
from gateway.storage.store import Store, StoreSettings
from gateway.testing.engine.given.entries import key

FAULTS = b'[{"code":"required","pointer":"/event","detail":{}}]'
START = 1_700_000_000
RAW = RawRequest("POST", "/batch", b'{"a":"1"}', b'{"host":"h"}', b"\xff{}", "192.0.2.1", "site")


def event(name: str) -> EventRow:
    """Return a row whose client named it."""
    return EventRow(json.dumps({"project": "p", "message_id": name}, separators=(",", ":")).encode(), key(name))


def bad(name: str, index: int = 0) -> QuarantinedItem:
    """Return an invalid item."""
    return QuarantinedItem(name, FAULTS, b"", key(name), index)


def at(seconds: float, given: Entry) -> Entry:
    """Return an entry as of a time, in seconds after START."""
    return attrs.evolve(given, received_at=int((START + seconds) * 1000))


async def number_of(records: Records, name: str) -> int:
    """Return the number of a quarantined item."""
    [number] = [each["id"] async for each in records.quarantine() if each["message_id"] == name]
    return int(number)


@asynccontextmanager
async def opened(store: Store) -> AsyncIterator[tuple[SubmittingStorage, Records]]:
    """Open the writer of a store, and a reader of its records."""
    async with store.storage(StoreSettings()) as storage, store.records() as records:
        yield storage, records
