"""Reads the kept requests with the events that they became, page by page."""

import datetime
from collections.abc import AsyncIterator, Sequence
from typing import Any

from gateway.records.raw_request import decompress
from gateway.storage.postgres.connection.session import Connection
from gateway.storage.postgres.positions import position
from gateway.storage.postgres.read.lines import Place, lines_at
from gateway.storage.postgres.read.reader import Reader
from gateway.storage.postgres.read.receipts import day_of, receipt_items
from gateway.storage.records import RawEvents

# At most a hundred, and not much more than PAGE_BYTES of requests, with EVENT_BYTES for each of their events. Each
# receipt is looked up by a subquery of its own: so no plan reads all of them. It may have expired before its request.
PAGE = """
SELECT receipt, project, compressed, received_at, dialect, route, xid, first, count, items
FROM (
    SELECT next.*, found.*, sum(octet_length(compressed) + {event_bytes} * coalesce(count, 0))
        OVER (ORDER BY receipt, project ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM (
        SELECT receipt, project, compressed FROM gateway.raws
        WHERE receipt >= $1 AND (receipt > $1 OR project > $2) {condition}
        ORDER BY receipt, project LIMIT 100) AS next
    LEFT JOIN LATERAL (
        SELECT (extract(epoch FROM received_at) * 1000)::bigint AS received_at, dialect, route, xid, first, count, items
        FROM gateway.receipts WHERE receipts.project = next.project AND receipts.id = next.receipt LIMIT 1
    ) AS found ON true) AS counted
WHERE coalesce(before, 0) <= {page_bytes} ORDER BY receipt, project
"""
PAGE_BYTES, EVENT_BYTES = 4 << 20, 1000
EVERY_PROJECT, ONE_PROJECT = (
    PAGE.format(event_bytes=EVENT_BYTES, page_bytes=PAGE_BYTES, condition=condition)
    for condition in ("", "AND project = $3")
)
REPLAYED = (
    "SELECT id, xid, number, (at AT TIME ZONE 'UTC')::date FROM gateway.settled "
    "WHERE verdict = 'stored' AND id = ANY ($1::bigint[])"
)

Events = dict[int, tuple[Place, datetime.date]]
"""Where the events of a request are, with the day of their partition, by the item's index."""


async def raw_events(reader: Reader, project: str | None) -> AsyncIterator[RawEvents]:
    """See Records."""
    after: tuple[int, str] = (0, "")
    while True:
        async with reader.transaction() as db:
            if project is None:
                page = await db.fetch(EVERY_PROJECT, *after)
            else:
                page = await db.fetch(ONE_PROJECT, *after, project)
            known = [row for row in page if row["received_at"] is not None]
            events = await _events(db, known)
            places = [each for of_one in events for each in of_one.values()]
            lines = await lines_at(db, [place for place, _ in places], [day for _, day in places])
        if not page:
            return
        after = (page[-1]["receipt"], page[-1]["project"])
        for row, of_one in zip(known, events, strict=True):
            yield RawEvents(
                receipt=row["receipt"],
                received_at=row["received_at"],
                project=row["project"],
                dialect=row["dialect"],
                route=row["route"],
                raw=decompress(row["compressed"]),
                events={
                    index: (position(*place), lines[place]) for index, (place, _) in of_one.items() if place in lines
                },
            )


async def _events(db: Connection, rows: Sequence[Any]) -> list[Events]:
    """Return where the events of each request are; items that are not events are left out."""
    items = [None if row["items"] is None else receipt_items(row["items"]) for row in rows]
    held = [item["quarantine"] for listed in items for item in listed or () if "quarantine" in item]
    replayed = {
        number: ((xid, event), day) for number, xid, event, day in (await db.fetch(REPLAYED, held) if held else ())
    }
    found: list[Events] = []
    for row, listed in zip(rows, items, strict=True):
        day, xid, first = day_of(row["received_at"]), row["xid"], row["first"]
        if listed is None:
            found.append({index: ((xid, first + index), day) for index in range(row["count"])})
            continue
        of_one: Events = {}
        for index, item in enumerate(listed):
            if "position" in item:
                of_one[index] = ((xid, item["position"]), day)
            elif item.get("quarantine") in replayed:
                of_one[index] = replayed[item["quarantine"]]
        found.append(of_one)
    return found
