"""Erases a person's items from the quarantine, and keeps those of others that came in the same request.

The items' dedupe keys stay among those of the quarantine, so that a late retry is a duplicate also where only the
request has the item's id.
"""

import zlib
from collections.abc import Sequence

import asyncpg
import attrs

from gateway.records.raw_request import decompress
from gateway.storage.decide import KEY_OVERHEAD, OVERHEAD
from gateway.storage.erasing.eraser import PayloadOf
from gateway.storage.held.record import QuarantineRecord
from gateway.storage.postgres.connection.session import Connection, Session
from gateway.storage.postgres.erasing.events import GATEWAY, VACUUM, remember_messages, to_do
from gateway.storage.postgres.erasing.found import Found
from gateway.storage.postgres.erasing.pages import Table, pages
from gateway.storage.quarantined_items import StoredItem, decode_items, encode_old_items

REQUESTS = Table(
    "quarantined_requests",
    "id",
    "id, last, project, (extract(epoch FROM received_at) * 1000)::bigint AS received_at, dialect, route, receipt, "
    "items, request",
    20,
)
LOCK = "SELECT size, keys FROM gateway.quarantined_requests WHERE project = $1 AND id = $2 FOR UPDATE"
SETTLED = "SELECT id FROM gateway.settled WHERE project = $1 AND id BETWEEN $2 AND $3"
SETTLE = (
    "INSERT INTO gateway.settled (project, id, verdict, at) SELECT $1, id, 'erased', now() "
    "FROM unnest($2::bigint[]) AS gone (id)"
)
UPDATE = (
    "UPDATE gateway.quarantined_requests SET items = $3, request = CASE WHEN $4 THEN request END, remaining = $5, "
    "size = $6 WHERE project = $1 AND id = $2"
)
DELETE = "DELETE FROM gateway.quarantined_requests WHERE project = $1 AND id = $2"
SHRINK = (
    f"INSERT INTO gateway.quarantine_sizes AS known (project, gateway, bytes) VALUES ($1, {GATEWAY}, -$2::bigint) "
    "ON CONFLICT (project, gateway) DO UPDATE SET bytes = known.bytes + excluded.bytes"
)
NO_FAULTS = "[]"


@attrs.frozen
class _Split:
    """What of a request's items is the person's: `own`; the others have their payload in `kept`."""

    own: Sequence[StoredItem]
    kept: Sequence[StoredItem]
    keeps_request: bool


async def erase_quarantined(session: Session, found: Found, payload_of: PayloadOf) -> None:
    """Erase the items that the person's id stands in, with their request. Raises one of EXPECTED."""
    async for page in pages(session, REQUESTS, found.person.project):
        for row in page:
            if _may_have(found, row):
                await _erase(session, found, row, payload_of)


def _may_have(found: Found, row: asyncpg.Record) -> bool:
    request = b"" if row["request"] is None else zlib.decompress(row["request"])
    return found.person.found_in(request) or any(
        _is_named(found, each) for each in decode_items(row["items"], row["id"])
    )


def _is_named(found: Found, item: StoredItem) -> bool:
    return any(found.person.found_in(text.encode()) for text in (item.message_id, item.faults, item.payload) if text)


async def _erase(session: Session, found: Found, row: asyncpg.Record, payload_of: PayloadOf) -> None:
    project, first = found.person.project, row["id"]
    async with session.transaction(readonly=found.dry_run) as db:
        locked = await db.fetchrow(LOCK.removesuffix(" FOR UPDATE") if found.dry_run else LOCK, project, first)
        if locked is None:  # the last of its items has just ended
            return
        size, keys = locked
        ended = {number for (number,) in await db.fetch(SETTLED, project, first, row["last"])}
        split = _split(found, row, ended, payload_of)
        found.counts["quarantined"] += len(split.own)
        if found.dry_run:
            found.held.update([item.number for item in split.own])
            return
        await db.execute(SETTLE, project, [item.number for item in split.own])
        await remember_messages(db, found, [(row["dialect"], item.message_id) for item in split.own])
        left = await _write(db, found, row, split, keys)
        await db.execute(SHRINK, project, size - left)
        await to_do(db, project, VACUUM, ["quarantined_requests"])


async def _write(
    db: Connection, found: Found, row: asyncpg.Record, split: _Split, keys: Sequence[bytes | None] | None
) -> int:
    """Write what is left of a request; return its size."""
    project, first = found.person.project, row["id"]
    if not split.kept:
        await db.execute(DELETE, project, first)
        return 0
    by_number = {item.number: item for item in split.kept}
    # An item keeps its number only if those before it are there, too: as empty ones.
    items = [
        by_number.get(each.number) or attrs.evolve(each, message_id="", faults=NO_FAULTS, payload="")
        for each in decode_items(row["items"], first)
    ]
    encoded = encode_old_items(items)
    request = len(row["request"] or b"") if split.keeps_request else 0
    size = OVERHEAD + len(encoded) + request + KEY_OVERHEAD * len([key for key in keys or () if key is not None])
    await db.execute(UPDATE, project, first, encoded, split.keeps_request, len(split.kept), size)
    return size


def _split(found: Found, row: asyncpg.Record, ended: set[int], payload_of: PayloadOf) -> _Split:
    items = [item for item in decode_items(row["items"], row["id"]) if item.number not in ended]
    in_request = row["request"] is not None and found.person.found_in(zlib.decompress(row["request"]))
    if not in_request:
        own = [item for item in items if _is_named(found, item)]
        return _Split(own, [item for item in items if item not in own], keeps_request=True)
    whole = [_with_payload(row, item, payload_of) for item in items]
    # What is not known to be of somebody else is the person's.
    own = [item for item in whole if not item.payload or _is_named(found, item)] or whole
    return _Split(own, [item for item in whole if item not in own], keeps_request=False)


def _with_payload(row: asyncpg.Record, item: StoredItem, payload_of: PayloadOf) -> StoredItem:
    if item.payload:
        return item
    payload = payload_of(
        QuarantineRecord.of(
            item,
            received_at=row["received_at"],
            project=row["project"],
            dialect=row["dialect"],
            route=row["route"],
            receipt=row["receipt"],
            raw=decompress(row["request"]),
        )
    )
    return attrs.evolve(item, payload=(payload or b"").decode())
