"""Reads quarantined items by group, and pages of them, the newest first. Nothing here writes."""

from collections.abc import AsyncIterator
from typing import Any

from gateway.storage.held.groups import SCANNED_HELD, Grouping, Listed, QuarantineFilter, QuarantineGroups
from gateway.storage.held.rows import page_of
from gateway.storage.postgres.read.reader import Reader
from gateway.storage.quarantined_items import decode_kinds

STEP = 500
# What a request's row has is as in `listed_row`; then its items, and the numbers of those that have ended.
REQUESTS = f"""
SELECT id, last, remaining, (extract(epoch FROM received_at) * 1000)::bigint, project, dialect, route, receipt,
    body_size, encode(sha256, 'hex'), items, CASE WHEN remaining <= last - id THEN
        (SELECT array_agg(ended.id) FROM gateway.settled ended WHERE ended.id BETWEEN request.id AND request.last) END
FROM gateway.quarantined_requests request WHERE id < coalesce($1, {2**63 - 1}) ORDER BY id DESC LIMIT {STEP}
"""


async def groups(reader: Reader, where: QuarantineFilter, before: int | None, most: int) -> QuarantineGroups:
    """See Records."""
    grouping, looked_at = Grouping(where), 0
    async for first, _, remaining, *head, items, ended in _requests(reader, before):
        if looked_at >= most:
            return grouping.found(complete=False)
        looked_at += remaining
        received_at, project, dialect, route, *_ = head
        if where.asks_for(project, dialect, route):
            grouping.add((project, dialect, route), received_at, decode_kinds(items, first, set(ended or ()), before))
    return grouping.found(complete=True)


async def page(reader: Reader, where: QuarantineFilter, before: int | None, most: int) -> Listed:
    """See Records."""
    rows: list[dict[str, Any]] = []
    scanned = 0
    async for first, last, _, *head, items, ended in _requests(reader, before):
        scanned += 1
        if scanned > SCANNED_HELD:
            return Listed(rows, last + 1)
        _, project, dialect, route, *_ = head
        if not where.asks_for(project, dialect, route):
            continue
        for row in page_of(items, first, set(ended or ()), before, where, head):
            if len(rows) == most:
                return Listed(rows, rows[-1]["id"])
            rows.append(row)
    return Listed(rows, None)


async def _requests(reader: Reader, before: int | None) -> AsyncIterator[tuple[Any, ...]]:
    """Yield the rows of REQUESTS, newest first, as long as they are asked for."""
    while True:
        found = await reader.query(REQUESTS, before)
        for row in found:
            yield row
        if len(found) < STEP:
            return
        before = found[-1][0]
