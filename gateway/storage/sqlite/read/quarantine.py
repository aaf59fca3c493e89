"""Reads single quarantined items, with the requests that they came in, and the newest. Nothing here writes."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import attrs

from gateway.records.raw_request import RawRequest, decompress
from gateway.storage.held.record import QuarantineRecord
from gateway.storage.quarantined_items import StoredItem, decode_items
from gateway.storage.records import NewRows
from gateway.storage.sqlite.read.reader import Reader

ROW = (
    "SELECT id, last, received_at, project, dialect, route, receipt, body_size, nullif(lower(hex(sha256)), ''), size "
    "FROM quarantined_requests WHERE id <= ? ORDER BY id DESC LIMIT 1"
)
CONTENTS = "SELECT items, request FROM quarantined_requests WHERE id = ?"
SETTLED = "SELECT verdict, position FROM settled WHERE id = ?"
BYTES = "SELECT coalesce(sum(bytes), 0) FROM quarantine_sizes"
COUNT = (
    "SELECT coalesce(sum(remaining), 0), max(id), count(*) FROM "
    "(SELECT id, remaining FROM quarantined_requests WHERE id > ? ORDER BY id LIMIT ?)"
)
NEWEST = "SELECT coalesce(max(last), 0) FROM quarantined_requests"
SINCE = "SELECT coalesce(max(last), ?1), coalesce(sum(last - id + 1), 0) FROM quarantined_requests WHERE id > ?1"
LAST = (
    "SELECT id, received_at, project, dialect, route, printf('%x', receipt), receipt IS NULL, items "
    "FROM quarantined_requests WHERE id > ? AND id <= ? ORDER BY id DESC LIMIT ?"
)
MOST_REQUESTS = 20
"""Requests whose items one look decodes: each may have thousands."""


@attrs.frozen
class _Contents:
    items: dict[int, StoredItem]
    raw: RawRequest | None


def new_quarantined(reader: Reader, mark: int | None, most: int) -> NewRows:
    """See Records. Raises DataDirError."""
    if mark is None:
        [(newest,)] = reader.query(NEWEST)
        return NewRows(newest, (), 0)
    [(newest, count)] = reader.query(SINCE, mark)
    rows: list[dict[str, Any]] = []
    for first, received_at, project, dialect, route, receipt, without, items in (
        reader.query(LAST, mark, newest, min(most, MOST_REQUESTS)) if count else []
    ):
        for item in reversed(decode_items(items, first)[-(most - len(rows)) :]):
            rows.append(
                {
                    "id": item.number,
                    "message_id": item.message_id or None,
                    "received_at": received_at,
                    "project": project,
                    "dialect": dialect,
                    "route": route,
                    "verdict": item.verdict,
                    "item": item.index,
                    "receipt": None if without else receipt,
                    "faults": item.faults,
                }
            )
        if len(rows) >= most:
            break
    return NewRows(newest, rows[::-1], count)


def quarantine_record(reader: Reader, number: int) -> QuarantineRecord | None:
    """Return a quarantined item by its id; None if there is none, or no more. Raises DataDirError.

    It is fast for one item after the other of one request: that is read once.
    """
    found = reader.query(ROW, number)
    if not found or found[0][1] < number or reader.query(SETTLED, number):
        return None
    [(first, _, received_at, project, dialect, route, receipt, size, sha256, bytes_there)] = found
    contents = _contents(reader, first, bytes_there)
    item = contents.items.get(number)
    if item is None:
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
        sha256=sha256,
    )


@lru_cache(maxsize=1)  # what a row has changes only when a person is erased, and becomes smaller then
def _contents(reader: Reader, first: int, _size: int) -> _Contents:
    rows = reader.query(CONTENTS, first)
    if not rows:  # the last of its items has just ended
        return _Contents({}, None)
    [(items, request)] = rows
    raw = None if request is None else decompress(request)
    return _Contents({item.number: item for item in decode_items(items, first)}, raw)


def total_bytes(reader: Reader) -> int:
    """See `Records.quarantine_bytes`. Raises DataDirError."""
    [(size,)] = reader.query(BYTES)
    return int(size)


def count_items(reader: Reader, after: int, most: int) -> tuple[int, int | None]:
    """See `Records.count_quarantined`. Raises DataDirError."""
    [(items, last, requests)] = reader.query(COUNT, after, most)
    return items, last if requests == most else None


def quarantine_ids(reader: Reader, verdict: str, project: str | None = None) -> Iterator[int]:
    """Yield the ids of the quarantined items with a verdict, oldest first. Raises DataDirError."""
    return (int(str(row["id"])) for row in reader.quarantine(project=project) if row["verdict"] == verdict)


def settled(reader: Reader, number: int) -> str | None:
    """Return how a quarantined item ended, such as `stored at position 7` or `dropped`; None if it did not end."""
    for verdict, position in reader.query(SETTLED, number):
        return f"{verdict} at position {position}" if position else str(verdict)
    return None
