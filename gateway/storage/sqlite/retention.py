"""Deleting what has expired, a little with each commit: the log's oldest chunks and their receipts, old counts.

Nothing above the watermark is deleted, because a start reads the keys of the memtable from the log. The keys outlive
their events: only generations.py forgets them. Deleting makes room in the file; the file does not become smaller.
"""

import sqlite3

from gateway.storage import buckets
from gateway.storage.plan import RECEIPT_RANDOM_BITS
from gateway.storage.sqlite.log import times

# A receipt's number begins with its time. Expired events end where those of the first receipt that stays begin.
FIRST_TO_STAY = "SELECT position FROM receipts WHERE id >= ? ORDER BY id LIMIT 1"
WATERMARK = "SELECT value FROM meta WHERE name = 'watermark'"
DELETE = (
    "DELETE FROM log WHERE last IN (SELECT last FROM log WHERE last <= :to ORDER BY last LIMIT :most)",
    "DELETE FROM receipts WHERE id IN "
    "(SELECT id FROM receipts WHERE id < :before AND position + count <= :to + 1 ORDER BY id LIMIT 10 * :most)",
)

BUCKET = "span, start, project, dialect, verdict"
DELETE_BUCKETS = (
    f"DELETE FROM counter_buckets WHERE ({BUCKET}) IN "  # noqa: S608
    f"(SELECT {BUCKET} FROM counter_buckets WHERE span = ? AND start <= ? ORDER BY {BUCKET} LIMIT ?)"
)


def delete_expired(connection: sqlite3.Connection, *, newest_receipt: int, keep_seconds: float, max_chunks: int) -> int:
    """Inside the open transaction, delete events that are more than `keep_seconds` older than the newest receipt.

    At most `max_chunks` chunks are deleted. Returns the last expired position, whether or not its keys are flushed.
    """
    before = max(0, (newest_receipt >> RECEIPT_RANDOM_BITS) - int(keep_seconds * 1000)) << RECEIPT_RANDOM_BITS
    (stays,) = connection.execute(FIRST_TO_STAY, (before,)).fetchone() or (0,)
    (watermark,) = connection.execute(WATERMARK).fetchone()
    values = {"to": min(stays - 1, watermark), "most": max_chunks, "before": before}
    for statement in DELETE:
        connection.execute(statement, values)
    times.delete_expired(connection)
    return int(stays) - 1


def delete_expired_buckets(connection: sqlite3.Connection, *, now: int, max_rows: int) -> bool:
    """Inside the open transaction, delete expired buckets of the counters; `now` is in seconds since the epoch.

    At most `max_rows` rows of each span are deleted, the oldest first. Returns whether none is left.
    """
    deleted = [
        connection.execute(DELETE_BUCKETS, (span, buckets.expired_before(span, now), max_rows)).rowcount
        for span in buckets.KEPT
    ]
    return max(deleted) < max_rows
