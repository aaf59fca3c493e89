"""Deleting what has expired, a little with each commit: the log's oldest chunks and their receipts, old counts.

Nothing above the watermark is deleted, because a start reads the keys of the memtable from the log. The keys outlive
their events: only generations.py forgets them. Deleting makes room in the file; free_space.py gives it back. What
expires before the others is expiry.py's.
"""

import sqlite3

from gateway.storage import buckets
from gateway.storage.plan import RECEIPT_RANDOM_BITS
from gateway.storage.sqlite.log import times

# A receipt's number begins with its time. Expired events end where those of the first receipt that stays begin.
# Without such a receipt all has expired, unless nothing is known of the time: an old log may have no receipts.
FIRST_TO_STAY = (
    "SELECT coalesce((SELECT position FROM receipts WHERE id >= ? ORDER BY id LIMIT 1), "
    "(SELECT ? WHERE EXISTS (SELECT 1 FROM receipts)), 0)"
)
WATERMARK = "SELECT value FROM meta WHERE name = 'watermark'"
DELETE = "DELETE FROM log WHERE last IN (SELECT last FROM log WHERE last <= ? ORDER BY last LIMIT ?)"
# Receipts go after their events: they say when those came.
DELETE_RECEIPTS = (
    "DELETE FROM receipts WHERE id IN (SELECT id FROM ("
    "SELECT id, position + count AS next FROM receipts WHERE id < :before ORDER BY id LIMIT :most) WHERE next <= "
    "1 + min(:to, coalesce((SELECT last - coalesce(length(keys) / 16, 1) FROM log ORDER BY last LIMIT 1), :to)))"
)

DELETE_RAWS = "DELETE FROM raws WHERE receipt IN (SELECT receipt FROM raws WHERE receipt < ? ORDER BY receipt LIMIT ?)"
BUCKET = "span, start, project, dialect, verdict"
DELETE_BUCKETS = (
    f"DELETE FROM counter_buckets WHERE ({BUCKET}) IN "  # noqa: S608
    f"(SELECT {BUCKET} FROM counter_buckets WHERE span = ? AND start <= ? ORDER BY {BUCKET} LIMIT ?)"
)


def first_to_stay(connection: sqlite3.Connection, before: int, position: int) -> int:
    """Return the position of the first event whose receipt is not below a number, in a log that ends at a position."""
    return int(connection.execute(FIRST_TO_STAY, (before, position + 1)).fetchone()[0])


def delete_expired(
    connection: sqlite3.Connection, *, now: int, keep_seconds: float, position: int, max_chunks: int
) -> tuple[bool, int]:
    """Inside the open transaction, delete events that are older than `keep_seconds`; `now` is in milliseconds.

    `position` is the log's last. At most `max_chunks` chunks are deleted. Returns whether there may be more, and the
    last expired position, whether or not its keys are flushed.
    """
    before = max(0, now - int(keep_seconds * 1000)) << RECEIPT_RANDOM_BITS
    stays = first_to_stay(connection, before, position)
    (watermark,) = connection.execute(WATERMARK).fetchone()
    to = min(stays - 1, watermark)
    events = connection.execute(DELETE, (to, max_chunks)).rowcount
    values = {"before": before, "to": to, "most": 10 * max_chunks}
    receipts = connection.execute(DELETE_RECEIPTS, values).rowcount
    times.delete_expired(connection)
    return events == max_chunks or receipts == 10 * max_chunks, stays - 1


def delete_expired_buckets(connection: sqlite3.Connection, *, now: int, max_rows: int) -> bool:
    """Inside the open transaction, delete expired buckets of the counters; `now` is in seconds since the epoch.

    At most `max_rows` rows of each span are deleted, the oldest first. Returns whether none is left.
    """
    deleted = [
        connection.execute(DELETE_BUCKETS, (span, buckets.expired_before(span, now), max_rows)).rowcount
        for span in buckets.KEPT
    ]
    return max(deleted) < max_rows


def delete_expired_raws(connection: sqlite3.Connection, *, now: int, keep_seconds: float, added: int) -> None:
    """Inside the open transaction, delete expired requests of stored events; `now` is in milliseconds since the epoch.

    At most 100 go, and twice as many as the transaction has `added`, so that no commit is long and they never pile up.
    """
    before = max(0, now - int(keep_seconds * 1000)) << RECEIPT_RANDOM_BITS
    connection.execute(DELETE_RAWS, (before, 100 + 2 * added))
