"""Reads the quarantine: the list of its items, single ones with their request, and how items ended."""

from collections.abc import AsyncIterator
from typing import Any

import attrs

from gateway.records.raw_request import RawRequest, decompress
from gateway.storage.held.record import QuarantineRecord
from gateway.storage.held.rows import listed_row
from gateway.storage.postgres.positions import position
from gateway.storage.postgres.read.reader import Reader
from gateway.storage.quarantined_items import StoredItem, decode_items

PAGE = """
SELECT id, last, (extract(epoch FROM received_at) * 1000)::bigint, project, dialect, route, receipt, body_size,
    encode(sha256, 'hex'), items, CASE WHEN remaining <= last - id THEN
        (SELECT array_agg(ended.id) FROM gateway.settled ended WHERE ended.id BETWEEN request.id AND request.last) END
FROM gateway.quarantined_requests request WHERE id >= $1 {} ORDER BY id LIMIT 20
"""
EVERY_PROJECT, ONE_PROJECT = PAGE.format(""), PAGE.format("AND project = $2")
START = "SELECT id FROM gateway.quarantined_requests WHERE id <= $1 ORDER BY id DESC LIMIT 1"
ROW = (
    "SELECT id, last, (extract(epoch FROM received_at) * 1000)::bigint, project, dialect, route, receipt, body_size, "
    "encode(sha256, 'hex'), (SELECT true FROM gateway.settled WHERE id = $1) "
    "FROM gateway.quarantined_requests WHERE id <= $1 ORDER BY id DESC LIMIT 1"
)
CONTENTS = "SELECT items, request FROM gateway.quarantined_requests WHERE id = $1"
SETTLED = "SELECT verdict, xid, number FROM gateway.settled WHERE id = $1"
BYTES = "SELECT coalesce(sum(bytes), 0)::bigint FROM gateway.quarantine_sizes"
COUNT = (
    "SELECT coalesce(sum(remaining), 0)::bigint, max(id), count(*) FROM "
    "(SELECT id, remaining FROM gateway.quarantined_requests WHERE id > $1 ORDER BY id LIMIT $2) page"
)


async def quarantine(reader: Reader, after: int, project: str | None) -> AsyncIterator[dict[str, Any]]:
    """See Records."""
    [found] = await reader.query(START, after) or [(0,)]
    first: int = found[0]
    while True:
        if project is None:
            page = await reader.query(EVERY_PROJECT, first)
        else:
            page = await reader.query(ONE_PROJECT, first, project)
        if not page:
            return
        for start, last, *head, items, ended in page:
            first = last + 1
            gone = set(ended or ())
            for item in decode_items(items, start):
                if item.number > after and item.number not in gone:
                    yield listed_row(item, *head)


@attrs.frozen
class _Contents:
    """What a request's row has, and never changes. Its items have the numbers from `first` on."""

    first: int
    items: dict[int, StoredItem]
    raw: RawRequest | None


@attrs.define
class QuarantineReader:
    """Reads single items. What the last item's request has is remembered."""

    reader: Reader
    _contents: _Contents | None = attrs.field(default=None, init=False)

    async def record(self, number: int) -> QuarantineRecord | None:
        """See `Records.quarantine_record`."""
        found = await self.reader.query(ROW, number)
        if not found:
            return None
        first, last, received_at, project, dialect, route, receipt, size, sha256, is_settled = found[0]
        if last < number or is_settled:
            return None
        contents = await self._contents_from(first)
        item = None if contents is None else contents.items.get(number)
        if contents is None or item is None:
            return None
        return QuarantineRecord.of(
            item,
            received_at=received_at,
            project=project,
            dialect=dialect,
            route=route,
            receipt=receipt,
            raw=contents.raw,
            size=size,
            sha256=sha256 if size is not None else None,
        )

    async def item(self, number: int) -> StoredItem | None:
        """Return what is stored of an item that has not ended when the caller looked; None if its request is gone.

        Of many items of one request only the first asks the database.
        """
        contents = self._contents
        if contents is None or number not in contents.items:
            [start] = await self.reader.query(START, number) or [(0,)]
            contents = await self._contents_from(start[0])
        return None if contents is None else contents.items.get(number)

    async def _contents_from(self, first: int) -> _Contents | None:
        contents = self._contents
        if contents is None or contents.first != first:
            rows = await self.reader.query(CONTENTS, first)
            if not rows:  # the last of its items has just ended
                return None
            [(items, request)] = rows
            by_number = {item.number: item for item in decode_items(items, first)}
            contents = _Contents(first, by_number, None if request is None else decompress(request))
            self._contents = contents  # others may read at the same time, so it is never looked at twice
        return contents


async def settled(reader: Reader, number: int) -> str | None:
    """See Records."""
    for verdict, xid, event in await reader.query(SETTLED, number):
        return str(verdict) if event is None else f"{verdict} at position {position(xid, event)}"
    return None


async def total_bytes(reader: Reader) -> int:
    """See `Records.quarantine_bytes`."""
    [(size,)] = await reader.query(BYTES)
    return int(size)


async def count_items(reader: Reader, after: int, most: int) -> tuple[int, int | None]:
    """See `Records.count_quarantined`."""
    [(items, last, requests)] = await reader.query(COUNT, after, most)
    return items, last if requests == most else None
