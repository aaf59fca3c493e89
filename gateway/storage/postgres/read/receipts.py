"""Reads receipts: the outcome of each item of one request."""

import datetime
import json
from collections.abc import Mapping, Sequence, Set
from typing import Any

from gateway.dialect.timestamps import from_millis
from gateway.storage.outcomes_json import decode_receipt
from gateway.storage.postgres.connection.session import Connection
from gateway.storage.postgres.positions import position
from gateway.storage.postgres.read.lines import erased_numbers, lines_at
from gateway.storage.postgres.read.quarantine import QuarantineReader
from gateway.storage.postgres.read.reader import Reader
from gateway.storage.records import receipt_number

# A receipt is looked for by its id, but its key begins with the project. An index by id would cost every request
# something, and receipts are rarely asked for: so each project is tried, one look into one partition each. The projects
# are those of the counters, which name every project that sent an item, and of the credentials, for one that has only
# sent empty requests; from one project the walk goes straight to the next.
RECEIPT = """
WITH RECURSIVE counted AS (
    (SELECT project FROM gateway.counters ORDER BY project LIMIT 1)
    UNION ALL
    SELECT (SELECT next.project FROM gateway.counters next WHERE next.project > counted.project
        ORDER BY next.project LIMIT 1) FROM counted WHERE counted.project IS NOT NULL)
SELECT found.* FROM (SELECT project FROM counted UNION SELECT project FROM gateway.credentials) AS known
CROSS JOIN LATERAL (
    SELECT (extract(epoch FROM received_at) * 1000)::bigint, project, dialect, route, xid, first, count, items
    FROM gateway.receipts WHERE receipts.project = known.project AND receipts.id = $1 LIMIT 1) AS found
ORDER BY project LIMIT 1
"""
SETTLED = "SELECT id, verdict, xid, number FROM gateway.settled WHERE id = ANY ($1::bigint[])"
EPOCH = datetime.date(1970, 1, 1)


def day_of(millis: int) -> datetime.date:
    """Return the day in UTC of a time, which is in milliseconds since the epoch."""
    return EPOCH + datetime.timedelta(days=millis // 86_400_000)


def receipt_items(stored: bytes) -> list[dict[str, Any]]:
    """Return the items of a receipt (see outcomes_json.py); the position of an event is its number only."""
    return decode_receipt(stored.decode() if stored.startswith(b"[") else stored)


async def receipt(reader: Reader, quarantine: QuarantineReader, text: str) -> dict[str, Any] | None:
    """See Records."""
    receipt_id = receipt_number(text)
    if receipt_id is None:
        return None
    async with reader.transaction() as db:
        row = await db.fetchrow(RECEIPT, receipt_id)
        if row is None:
            return None
        received_at, project, dialect, route, xid, first, count, stored = row
        items = None if stored is None else receipt_items(stored)
        lines: Mapping[int, bytes] = {}
        erased: Set[int] = frozenset()
        if items is None or not all("message_id" in item for item in items):
            lines = await _lines(db, xid, range(first, first + count), day_of(received_at))
            erased = await erased_numbers(db, project, xid, set(range(first, first + count)) - lines.keys())
        ended = await _ended(db, items or ())
    if items is None:
        items = [{"verdict": "stored", "position": number} for number in sorted(lines.keys() | erased)]
    for item in items:
        await _complete(quarantine, item, lines, ended)
        if item.get("position") in erased:
            item["erased"] = True
        if "position" in item:
            item["position"] = position(xid, item["position"])
    return {
        "receipt": f"{receipt_id:x}",
        "project": project,
        "dialect": dialect,
        "route": route,
        "received_at": from_millis(received_at),
        "items": items,
    }


async def _lines(db: Connection, xid: int, numbers: range, day: datetime.date) -> dict[int, bytes]:
    found = await lines_at(db, [(xid, number) for number in numbers], [day] * len(numbers))
    return {number: line for (_, number), line in found.items()}


async def _ended(db: Connection, items: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Return how those of the items ended that were quarantined and are no more, by their id."""
    numbers = [item["quarantine"] for item in items if "quarantine" in item]
    rows = await db.fetch(SETTLED, numbers) if numbers else ()
    return {
        number: verdict if event is None else f"{verdict} at position {position(xid, event)}"
        for number, verdict, xid, event in rows
    }


async def _complete(
    quarantine: QuarantineReader, item: dict[str, Any], lines: Mapping[int, bytes], ended: Mapping[int, str]
) -> None:
    """Give an item what its receipt does not have itself."""
    held = item.get("quarantine")
    if "message_id" not in item:
        item["message_id"] = None
        line = lines.get(item.get("position", 0))
        if line is not None:
            item["message_id"] = json.loads(line).get("message_id")
        elif held is not None and held not in ended and (kept := await quarantine.item(held)) is not None:
            item["message_id"] = kept.message_id or None
            item["faults"] = json.loads(kept.faults)
    if held is not None and held in ended:
        item["since"] = ended[held]
