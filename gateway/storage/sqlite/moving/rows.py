"""The rows of a data directory beside the log, as TABLES of gateway/storage/moving.py has them. Synchronous."""

import json
import sqlite3
from collections.abc import Iterator

from gateway.datadir import DataDir
from gateway.storage.moving import TABLES, Cursor, Row
from gateway.storage.quarantine_hash import HASH_BYTES, NO_HASH
from gateway.storage.quarantined_items import decode_items
from gateway.storage.sqlite.connection import sqlite_file
from gateway.storage.sqlite.dedupe.known_keys import BUCKETS
from gateway.storage.sqlite.keys import backups
from gateway.storage.sqlite.keys import tables as key_tables
from gateway.storage.sqlite.log.chunks import KEY_BYTES
from gateway.storage.sqlite.quarantine import LAST
from gateway.storage.sqlite.rejected_file import BUSY_SECONDS, VERSION

PAGE = 2000
LARGE_PAGE = 20
"""The same for rows that may be large."""
AT_ONCE = 32
"""Buckets of keys that are read together."""
SEEN = (
    "SELECT keys FROM seen_current WHERE bucket >= ?1 AND bucket < ?2 "
    "UNION ALL SELECT keys FROM seen_previous WHERE bucket >= ?1 AND bucket < ?2"
)
CLAIMS = (
    "SELECT digest, fingerprint, memory, coalesce(receipt, 0) FROM claims_{} WHERE digest > ? ORDER BY digest LIMIT ?"
)
LATER_CLAIMS = (
    "SELECT digest, fingerprint, memory, receipt FROM claims_current WHERE receipt > ?1 "
    "UNION ALL SELECT digest, fingerprint, memory, receipt FROM claims_previous WHERE receipt > ?1"
)
QUARANTINE = (
    "SELECT project, id, last, remaining, size, received_at, dialect, route, receipt, body_size, sha256, items, keys, "
    "request FROM quarantined_requests ORDER BY id"
)
SETTLED_AMONG = "SELECT id FROM settled WHERE id BETWEEN ? AND ?"
SIMPLE = {
    "counters": "SELECT project, dialect, verdict, count FROM counters",
    "counter_buckets": "SELECT span, start, project, dialect, verdict, count FROM counter_buckets",
    "settled": "SELECT '', id, verdict, position, at FROM settled ORDER BY id",
    "erasures": "SELECT project, kind, hash, at FROM erasures",
    "erased_messages": "SELECT project, hash FROM erased_messages",
}
IN_REJECTED = {
    "rejected": f"SELECT {', '.join(TABLES['rejected'])} FROM rejected ORDER BY id",  # noqa: S608
    "rejected_counts": "SELECT project, dialect, count FROM counts",
    "rejected_buckets": "SELECT span, start, project, dialect, count FROM count_buckets",
    "credential_uses": "SELECT project, credential, day, requests, rejected, last_used FROM credential_uses",
}
FACTS = "SELECT name, value FROM meta WHERE name IN ('quarantine_secret', 'buckets_since', 'erasure_secret')"


def pages(connection: sqlite3.Connection, directory: DataDir, table: str, since: Cursor | None) -> Iterator[list[Row]]:
    """Yield the rows of a table; those of GROWING tables since a mark, `[watermark, receipt]`.

    `connection` is that of events.db. While keys or claims are read, no snapshot lasts from one page to the next.
    """
    if table == "keys":
        return _keys(connection) if since is None else iter(())
    if table == "claims":
        return _claims(connection, since)
    if table in SIMPLE:
        return _fetched(connection.execute(SIMPLE[table]), PAGE)
    if table == "quarantine":
        return _quarantine(connection)
    if table in IN_REJECTED:
        return _rejected(directory, table)
    if table == "facts":
        return iter([_facts(connection)])
    return iter([_credentials(directory, table)])


def _fetched(cursor: sqlite3.Cursor, size: int) -> Iterator[list[Row]]:
    while rows := cursor.fetchmany(size):
        yield rows


def _keys(connection: sqlite3.Connection) -> Iterator[list[Row]]:
    for bucket in range(0, BUCKETS, AT_ONCE):
        whole = b"".join([keys for (keys,) in connection.execute(SEEN, (bucket, bucket + AT_ONCE)).fetchall()])
        yield [("", whole[at : at + KEY_BYTES]) for at in range(0, len(whole), KEY_BYTES)]


def _claims(connection: sqlite3.Connection, since: Cursor | None) -> Iterator[list[Row]]:
    if since is not None:
        for page in _fetched(connection.execute(LATER_CLAIMS, (since[1],)), PAGE):
            yield [("", *row) for row in page]
        return
    # The older generation last: a claim goes there when the generations rotate.
    for generation in ("current", "previous"):
        after = b""
        while rows := connection.execute(CLAIMS.format(generation), (after, PAGE)).fetchall():
            after = rows[-1][0]
            yield [("", *row) for row in rows]


def _quarantine(connection: sqlite3.Connection) -> Iterator[list[Row]]:
    keys_at = TABLES["quarantine"].index("keys")
    for page in _fetched(connection.execute(QUARANTINE), LARGE_PAGE):
        rows: list[Row] = []
        for row in page:
            first, last, items, keys = row[1], row[2], row[11], row[keys_at]
            if keys is not None:
                settled = {number for (number,) in connection.execute(SETTLED_AMONG, (first, last)).fetchall()}
                hashes = [keys[at : at + HASH_BYTES] for at in range(0, len(keys), HASH_BYTES)]
                keys = [
                    None if hashed == NO_HASH or item.number in settled else hashed
                    for item, hashed in zip(decode_items(items, first), hashes, strict=True)
                ]
            rows.append((*row[:keys_at], keys, *row[keys_at + 1 :]))
        yield rows


def _facts(connection: sqlite3.Connection) -> list[Row]:
    found = dict(connection.execute(FACTS).fetchall())
    [(last,)] = connection.execute(LAST).fetchall()
    return [
        ("quarantine_secret", found["quarantine_secret"]),
        ("last_number", last),
        ("counted_since", found.get("buckets_since")),
        ("erasure_secret", found["erasure_secret"]),
    ]


def _credentials(directory: DataDir, table: str) -> list[Row]:
    if not directory.keys.exists():
        return []
    with sqlite_file.connected(directory.keys, "ro", timeout=key_tables.BUSY_SECONDS) as connection:
        if table == "secrets":
            return connection.execute(key_tables.SELECT_SECRETS).fetchall()
        version = sqlite_file.version(connection, directory.keys, key_tables.VERSION)
        if table == "backups":
            return connection.execute(backups.SELECT).fetchall() if version >= backups.SINCE else []
        scopes = TABLES["credentials"].index("scopes")
        return [
            (*row[:scopes], json.loads(row[scopes]), json.loads(row[scopes + 1]), *row[scopes + 2 : -1], bool(row[-1]))
            for row in connection.execute(key_tables.select(version)).fetchall()
        ]


def _rejected(directory: DataDir, table: str) -> Iterator[list[Row]]:
    if not directory.rejected.exists():
        return
    with sqlite_file.connected(directory.rejected, "ro", timeout=BUSY_SECONDS) as connection:
        if table == "credential_uses" and sqlite_file.version(connection, directory.rejected, VERSION) < 5:
            return
        large = table == "rejected"
        yield from _fetched(connection.execute(IN_REJECTED[table]), LARGE_PAGE if large else PAGE)
