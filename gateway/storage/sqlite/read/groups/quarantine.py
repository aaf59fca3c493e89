"""Reads quarantined items by group, and pages of them, the newest first. Nothing here writes."""

from collections.abc import Iterator
from typing import Any

from gateway.storage.held.groups import SCANNED_HELD, Grouping, Listed, QuarantineFilter, QuarantineGroups
from gateway.storage.held.rows import page_of
from gateway.storage.quarantined_items import decode_kinds
from gateway.storage.sqlite.read.reader import SETTLED, Reader

STEP = 500
# All columns stand before the request, which may be large, and is not read.
REQUESTS = f"""
SELECT id, last, remaining, received_at, project, dialect, route, receipt, body_size, lower(hex(sha256)), items
FROM quarantined_requests WHERE ?1 IS NULL OR id < ?1 ORDER BY id DESC LIMIT {STEP}
"""  # noqa: S608


def groups(reader: Reader, where: QuarantineFilter, before: int | None, most: int) -> QuarantineGroups:
    """See Records. Raises DataDirError."""
    grouping, looked_at = Grouping(where), 0
    for first, last, remaining, *head, items in _requests(reader, before):
        if looked_at >= most:
            return grouping.found(complete=False)
        looked_at += remaining
        received_at, project, dialect, route, *_ = head
        if where.asks_for(project, dialect, route):
            kinds = decode_kinds(items, first, _ended(reader, first, last, remaining), before)
            grouping.add((project, dialect, route), received_at, kinds)
    return grouping.found(complete=True)


def page(reader: Reader, where: QuarantineFilter, before: int | None, most: int) -> Listed:
    """See Records. Raises DataDirError."""
    rows: list[dict[str, Any]] = []
    for scanned, (first, last, remaining, *head, items) in enumerate(_requests(reader, before)):
        if scanned >= SCANNED_HELD:
            return Listed(rows, last + 1)
        _, project, dialect, route, *_ = head
        if not where.asks_for(project, dialect, route):
            continue
        ended = _ended(reader, first, last, remaining)
        for row in page_of(items, first, ended, before, where, head):
            if len(rows) == most:
                return Listed(rows, rows[-1]["id"])
            rows.append(row)
    return Listed(rows, None)


def _requests(reader: Reader, before: int | None) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of REQUESTS, newest first, as long as they are asked for."""
    while True:
        found = reader.query(REQUESTS, before)
        yield from found
        if len(found) < STEP:
            return
        before = found[-1][0]


def _ended(reader: Reader, first: int, last: int, remaining: int) -> set[int]:
    """Return the numbers of a request's items that have ended. Most requests have none, and are not asked for."""
    return set() if remaining > last - first else {number for (number,) in reader.query(SETTLED, first, last)}
