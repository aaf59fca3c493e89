"""Writes rejected requests into the database, bounded in bytes and age. read/rejected.py reads them."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gateway.storage import buckets
from gateway.storage.postgres.connection.errors import EXPECTED, is_lost, reason
from gateway.storage.postgres.connection.session import Connection, Session
from gateway.storage.rejected_log import Counts
from gateway.store_error import StoreError

LOCK = 0x7265_6A65_6374_6564  # "rejected"
"""The advisory lock of whoever writes them, so that ids are in the order of commits, and writers cannot deadlock."""
GATEWAY = 0
"""The counts of all gateways are in the same rows: writers take turns anyhow, and each writes once a second."""
COLUMNS = {
    **dict.fromkeys(("project", "dialect", "route", "reason", "faults", "method", "path", "query"), "text"),
    **dict.fromkeys(("headers", "client_ip", "site", "credential_id", "origin", "request_id"), "text"),
    **dict.fromkeys(("cut", "known"), "boolean"),
    **dict.fromkeys(("received_at", "size"), "bigint"),
    "status": "int",
    "body": "bytea",
}
"""What is written of a rejection, with the types of the values; the rest is made by the database."""
INSERT = (
    f"INSERT INTO gateway.rejected ({', '.join(COLUMNS)}) "
    f"SELECT {', '.join(COLUMNS).replace('received_at', 'to_timestamp(received_at / 1000.0)')} FROM unnest("
    f"{', '.join(f'${place}::{kind}[]' for place, kind in enumerate(COLUMNS.values(), 1))}) "
    f"AS new ({', '.join(COLUMNS)})"
)
COUNT = (
    "INSERT INTO gateway.rejected_counts AS known (project, dialect, gateway, count) "
    f"SELECT project, dialect, {GATEWAY}, count "
    "FROM unnest($1::text[], $2::text[], $3::bigint[]) AS added (project, dialect, count) "
    "ON CONFLICT (project, dialect, gateway) DO UPDATE SET count = known.count + excluded.count"
)
ADD_TO_BUCKETS = (
    "INSERT INTO gateway.rejected_buckets AS known (span, start, project, dialect, gateway, count) "
    f"SELECT span, start, project, dialect, {GATEWAY}, count "
    "FROM unnest($1::int[], $2::bigint[], $3::text[], $4::text[], $5::bigint[]) "
    "AS added (span, start, project, dialect, count) "
    "ON CONFLICT (project, span, start, dialect, gateway) DO UPDATE SET count = known.count + excluded.count"
)
DELETE_BUCKETS = (
    "DELETE FROM gateway.rejected_buckets WHERE ctid = ANY (ARRAY("
    "SELECT ctid FROM gateway.rejected_buckets WHERE span = $1 AND start <= $2 ORDER BY start LIMIT $3))"
)
# The oldest go until the rest is small enough, and whatever is too old. `before` is the size of those before a row.
TRIM = """
WITH oldest AS (
    SELECT project, id, size, received_at, sum(size) OVER (ORDER BY id) - size AS before
    FROM (SELECT project, id, size, received_at FROM gateway.rejected WHERE known = $1 ORDER BY id LIMIT $5) AS first),
gone AS (
    DELETE FROM gateway.rejected USING oldest, gateway.rejected_sizes total
    WHERE rejected.project = oldest.project AND rejected.id = oldest.id AND total.known = $1
        AND (total.bytes + $2 - oldest.before > $3 OR oldest.received_at < to_timestamp($4::bigint / 1000.0))
    RETURNING rejected.size)
UPDATE gateway.rejected_sizes SET bytes = greatest(0, bytes + $2 - coalesce((SELECT sum(size) FROM gone), 0))
WHERE known = $1
"""
MOST_DELETED = 600
"""How many of each kind are deleted with one write: more than it adds, so that they never pile up."""


class PostgresRejected:
    """Writes rejections of one gateway. See RejectedWriter.

    Requests of projects' own clients get half of `max_bytes`, all others the other half. Rejections older than
    `keep_seconds` are deleted.
    """

    expected: tuple[type[Exception], ...] = (StoreError,)

    def __init__(self, session: Session, max_bytes: int, keep_seconds: float) -> None:
        self.name = f"the rejected requests to {session.address.name}"
        self._session = session
        self._max_bytes = max_bytes // 2
        self._keep_millis = int(keep_seconds * 1000)
        self._is_gone = False

    def is_gone(self) -> bool:
        """See RejectedWriter. Of a database that cannot be reached, the engine says so."""
        return self._is_gone

    async def close(self) -> None:
        """See RejectedWriter."""
        await self._session.close()

    async def write(self, rows: Callable[[], Sequence[dict[str, Any]]], counts: Counts) -> None:
        """See RejectedWriter. Raises StoreError."""
        prepared = await asyncio.to_thread(lambda: [_values(row) for row in rows()])
        try:
            async with self._session.transaction() as db:
                await db.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
                await self._write(db, prepared, counts)
        except EXPECTED as error:
            self._is_gone = is_lost(error)
            raise StoreError(reason(error)) from error

    async def _write(self, db: Connection, rows: Sequence[Sequence[Any]], counts: Counts) -> None:
        if rows:
            await db.execute(INSERT, *zip(*rows, strict=True))
        totals: Counter[tuple[str, str]] = Counter()
        for (_, project, dialect), count in counts.items():
            totals[project, dialect] += count
        await db.execute(COUNT, *zip(*[(*name, count) for name, count in totals.items()], strict=True))
        added = buckets.rows(counts.items())
        await db.execute(ADD_TO_BUCKETS, *zip(*added, strict=True))
        newest = max(minute for minute, *_ in counts)
        for span in buckets.KEPT:
            await db.execute(DELETE_BUCKETS, span, buckets.expired_before(span, newest), MOST_DELETED + len(added))
        too_old = time.time_ns() // 1_000_000 - self._keep_millis
        size, known = list(COLUMNS).index("size"), list(COLUMNS).index("known")
        for kind in (False, True):
            grown = sum([row[size] for row in rows if row[known] == kind])
            await db.execute(TRIM, kind, grown, self._max_bytes, too_old, MOST_DELETED)


def _values(row: Mapping[str, Any]) -> list[Any]:
    """Return the values of COLUMNS. A project that is not known is empty in the table."""
    return [fit(value) for value in ({**row, "project": row["project"] or ""}[name] for name in COLUMNS)]


def fit(value: object) -> object:
    """Return a value as the database can hold it: text has neither U+0000 nor half an emoji."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return value
