"""The rows of a database beside the log, as TABLES of gateway/storage/moving.py has them."""

from collections.abc import AsyncIterator, Mapping

from gateway.storage.moving import Cursor, Row
from gateway.storage.postgres.connection.session import Connection

PAGE = 5000
LARGE_PAGE = 20
"""The same for rows that may be large."""
LARGE = ("quarantine", "rejected")


def _millis(column: str) -> str:
    return f"(extract(epoch FROM {column}) * 1000)::bigint"


SELECT: Mapping[str, str] = {
    "keys": "SELECT DISTINCT project, key FROM gateway.keys",
    "claims": (
        "SELECT DISTINCT ON (project, digest) project, digest, fingerprint, outcomes, receipt FROM gateway.claims "
        "WHERE outcomes IS NOT NULL"
    ),
    "credentials": (
        "SELECT id, project, dialect, kind, hint, scopes, origins, created_at, revoked_at, expires_at, hash, label, "
        "rotated FROM gateway.credentials ORDER BY number"
    ),
    "backups": "SELECT name, made_at, events FROM gateway.backups ORDER BY made_at, name",
    "secrets": "SELECT name, value FROM gateway.secrets WHERE name <> 'version'",
    "counters": (
        "SELECT project, dialect, verdict, sum(count)::bigint FROM gateway.counters GROUP BY project, dialect, verdict"
    ),
    "counter_buckets": (
        "SELECT span, start, project, dialect, verdict, sum(count)::bigint FROM gateway.counter_buckets "
        "GROUP BY span, start, project, dialect, verdict"
    ),
    "quarantine": (
        f"SELECT project, id, last, remaining, size, {_millis('received_at')}, dialect, route, receipt, body_size, "
        "sha256, items, keys, request FROM gateway.quarantined_requests ORDER BY id"
    ),
    "settled": (
        "SELECT project, id, verdict, CASE WHEN xid IS NOT NULL AND number IS NOT NULL THEN xid || '-' || number END, "
        f"{_millis('at')} FROM gateway.settled ORDER BY id"
    ),
    "rejected": (
        f"SELECT id, {_millis('received_at')}, nullif(project, ''), dialect, route, reason, status, faults, method, "
        "path, query, headers, body, client_ip, site, cut, size, known, replayed, credential_id, origin, request_id "
        "FROM gateway.rejected ORDER BY id"
    ),
    "rejected_counts": (
        "SELECT project, dialect, sum(count)::bigint FROM gateway.rejected_counts GROUP BY project, dialect"
    ),
    "rejected_buckets": (
        "SELECT span, start, project, dialect, sum(count)::bigint FROM gateway.rejected_buckets "
        "GROUP BY span, start, project, dialect"
    ),
    "credential_uses": "SELECT project, credential, day, requests, rejected, last_used FROM gateway.credential_uses",
    "erasures": "SELECT project, kind, hash, at FROM gateway.erasures",
    "erased_messages": "SELECT project, hash FROM gateway.erased_messages",
}
# The transaction that wrote a row, of which PostgreSQL keeps the last 32 bits: whether it is not older than another.
SINCE = "(xmin::text::bigint - $1) & 4294967295 < 2147483648"
LATER: Mapping[str, str] = {
    "keys": f"SELECT project, key FROM gateway.keys WHERE {SINCE}",
    "claims": (
        "SELECT project, digest, fingerprint, outcomes, receipt FROM gateway.claims "
        f"WHERE outcomes IS NOT NULL AND {SINCE}"
    ),
}
NEXT_KEYS = (
    "SELECT DISTINCT project, key FROM gateway.keys WHERE (project, key) > ($1, $2) ORDER BY project, key LIMIT $3"
)
FACTS = "SELECT quarantine_secret, numbers_given, counted_since, erasure_secret FROM gateway.state"
SETTLED_AMONG = "SELECT id FROM gateway.settled WHERE id BETWEEN $1 AND $2"


async def next_keys(db: Connection, after: Row) -> list[Row]:
    """Return the next rows of the table `keys`, which may be the longest of all: no snapshot lasts for all of it."""
    return [tuple(row) for row in await db.fetch(NEXT_KEYS, *after, PAGE)]


async def pages(db: Connection, table: str, since: Cursor | None) -> AsyncIterator[list[Row]]:
    """Yield the rows of a table, in the snapshot of the open transaction.

    Of GROWING tables those since a mark, `[transaction]`, without the offset of this database.
    """
    if table == "facts":
        [row] = await db.fetch(FACTS)
        yield list(zip(("quarantine_secret", "last_number", "counted_since", "erasure_secret"), row, strict=True))
        return
    # These are read whole, from the first page to the last.
    await db.execute("SET LOCAL enable_seqscan = on")
    later = table in LATER and since is not None
    cursor = await (db.cursor(LATER[table], since[0] % (1 << 32)) if later and since else db.cursor(SELECT[table]))
    while rows := await cursor.fetch(LARGE_PAGE if table in LARGE else PAGE):
        yield [tuple(row) for row in rows]
