"""Quarantined items that are short to write, and how they are looked at."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs

from gateway.records.raw_request import RawRequest
from gateway.storage.contract import Appended, AppendStatus, Entry, QuarantinedItem, SubmittingStorage
from gateway.storage.records import Records
from gateway.storage.store import Store, StoreSettings
from gateway.testing.engine.given.entries import entry, kept, key, row

FAULTS = b'[{"code":"required","pointer":"/event","detail":{}}]'
RAW = RawRequest("POST", "/batch", b'{"a":"1"}', b'{"host":"h"}', b"\xff{}", "192.0.2.1", "site")
LARGE = attrs.evolve(RAW, body=random.Random(1).randbytes(40_000))
NEW, SEEN = Appended(AppendStatus.NEW), Appended(AppendStatus.NEW, duplicates=(0,))


def quarantined(name: str, index: int = 0, keyed: bool = True) -> QuarantinedItem:
    """Return an invalid item."""
    return QuarantinedItem(name, FAULTS, b"{}", key(name) if keyed else None, index)


def holding(*items: QuarantinedItem, raw: RawRequest = RAW, project: str = "p") -> Entry:
    """Return a request with invalid items alone."""
    return attrs.evolve(entry(quarantined=items, project=project), request=kept(raw))


def settling(number: int, *names: str) -> Entry:
    """Return what replays a quarantined item as an event of this name, or without one drops it."""
    return attrs.evolve(entry(*[row(name) for name in names]), resolves=number)


@asynccontextmanager
async def opened(store: Store, *, quarantine_bytes: int = 1 << 40) -> AsyncIterator[tuple[SubmittingStorage, Records]]:
    """Open the writer of a store, and a reader of its records."""
    settings = StoreSettings(quarantine_bytes=lambda _project: quarantine_bytes)
    async with store.storage(settings) as storage, store.records() as records:
        yield storage, records


async def held(records: Records, project: str | None = None) -> list[dict[str, Any]]:
    """Return all quarantined items as they are listed."""
    return [each async for each in records.quarantine(project=project)]


async def messages(records: Records) -> list[object]:
    """Return the message ids of all quarantined items."""
    return [each["message_id"] for each in await held(records)]


async def ids(records: Records) -> list[int]:
    """Return the numbers of all quarantined items."""
    return [each["id"] for each in await held(records)]
