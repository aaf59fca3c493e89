"""Writes rows of TABLES of gateway/storage/moving.py into a data directory. Synchronous."""

import contextlib
import json
import sqlite3
from collections.abc import Sequence

import attrs

from gateway.datadir import DataDir
from gateway.storage.moving import TABLES, Row
from gateway.storage.quarantine_hash import HASH_BYTES, NO_HASH, as_number, key_hash
from gateway.storage.sqlite import old_positions, rejected_file
from gateway.storage.sqlite.connection import sqlite_file
from gateway.storage.sqlite.keys import tables as key_tables
from gateway.storage.sqlite.moving.seen import SeenKeys

IN_REJECTED = {
    "rejected": "rejected",
    "rejected_counts": "counts",
    "rejected_buckets": "count_buckets",
    "credential_uses": "credential_uses",
}
IN_KEYS = ("credentials", "secrets", "backups")
COUNTED = {"quarantine": "quarantined_requests"}
COMPLETE = (
    "DELETE FROM quarantine_sizes",
    "INSERT INTO quarantine_sizes SELECT project, sum(size) FROM quarantined_requests GROUP BY project",
)
COMPLETE_REJECTED = "UPDATE totals SET bytes = (SELECT coalesce(sum(size), 0) FROM rejected WHERE known = totals.known)"
KEYS_AT = TABLES["quarantine"].index("keys")


@attrs.frozen
class TableRows:
    """The tables of a data directory: those of events.db, which is open, and of the files beside it."""

    directory: DataDir
    file: sqlite3.Connection
    seen: SeenKeys

    def clear(self, table: str) -> None:
        """Delete all rows of a table, in one transaction."""
        with self._opened(table) as file, sqlite_file.transaction(file):
            if table == "secrets":  # without a salt no credential can be read
                file.execute("DELETE FROM secrets WHERE name <> 'salt'")
            elif table == "quarantine":
                file.execute("DELETE FROM quarantined_requests")
                file.execute("DELETE FROM quarantined_keys")
            elif table != "facts":
                file.execute(f"DELETE FROM {_named(table)}")  # noqa: S608

    def add(self, table: str, rows: Sequence[Row]) -> None:
        """Add rows to a table, in one transaction."""
        with self._opened(table) as file, sqlite_file.transaction(file):
            if table == "keys":
                self.seen.add(file, [key for _, key in rows])
            elif table == "facts":
                self._add_facts(file, dict(rows))
            elif table == "quarantine":
                self._add_quarantine(file, rows)
            else:
                file.executemany(_insert(table), [self._row(file, table, row) for row in rows])

    def complete(self) -> None:
        """Work out what follows from the rows."""
        with sqlite_file.transaction(self.file):
            for statement in COMPLETE:
                self.file.execute(statement)
        with self._opened("rejected") as file:
            file.execute(COMPLETE_REJECTED)

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        with self._opened(table) as file:
            if table == "claims":
                [(previous,)] = file.execute("SELECT count(*) FROM claims_previous").fetchall()
                [(current,)] = file.execute("SELECT count(*) FROM claims_current").fetchall()
                return int(previous + current)
            [(count,)] = file.execute(f"SELECT count(*) FROM {_named(table)}").fetchall()  # noqa: S608
        return int(count)

    def _opened(self, table: str) -> contextlib.AbstractContextManager[sqlite3.Connection]:
        """Connect to the file that has a table; it is made if it is missing."""
        if table in IN_REJECTED:
            rejected_file.make(self.directory.rejected)
            return sqlite_file.connected(self.directory.rejected, "rw", timeout=rejected_file.BUSY_SECONDS)
        if table in IN_KEYS:
            if not self.directory.keys.exists():
                key_tables.create(self.directory.keys)
            return sqlite_file.connected(self.directory.keys, "rw", timeout=key_tables.BUSY_SECONDS)
        return contextlib.nullcontext(self.file)

    def _row(self, file: sqlite3.Connection, table: str, row: Row) -> Row:
        """Return the values of a statement of _insert."""
        if table == "claims":
            return row[1:]
        if table == "credentials":
            scopes = TABLES[table].index("scopes")
            return (*row[:scopes], json.dumps(row[scopes]), json.dumps(row[scopes + 1]), *row[scopes + 2 :])
        if table == "settled":
            _, number, verdict, position, at = row
            if isinstance(position, str):
                position = old_positions.exact(file, old_positions.parsed(position))
            return number, verdict, position, at
        return row

    def _add_facts(self, file: sqlite3.Connection, facts: dict[str, object]) -> None:
        secret, since = facts["quarantine_secret"], facts["counted_since"]
        if secret is not None:
            file.execute("INSERT OR REPLACE INTO meta VALUES ('quarantine_secret', ?)", (secret,))
        if facts.get("erasure_secret") is not None:  # PostgreSQL's, once it has one
            file.execute("INSERT OR REPLACE INTO meta VALUES ('erasure_secret', ?)", (facts["erasure_secret"],))
        file.execute("DELETE FROM meta WHERE name = 'buckets_since'")
        if since is not None:
            file.execute("INSERT INTO meta VALUES ('buckets_since', ?)", (since,))

    def _add_quarantine(self, file: sqlite3.Connection, rows: Sequence[Row]) -> None:
        [(secret,)] = file.execute("SELECT value FROM meta WHERE name = 'quarantine_secret'").fetchall()
        for row in rows:
            hashes = [_hashed(secret, key) for key in row[KEYS_AT] or ()]
            there = [(as_number(each),) for each in hashes if each != NO_HASH]
            file.executemany("INSERT OR IGNORE INTO quarantined_keys VALUES (?)", there)
            keys = b"".join(hashes) if there else None
            file.execute(_insert("quarantine"), (*row[:KEYS_AT], keys, *row[KEYS_AT + 1 :]))


def _hashed(secret: bytes, key: bytes | None) -> bytes:
    if key is None:
        return NO_HASH
    return key if len(key) == HASH_BYTES else key_hash(secret, key)


def _named(table: str) -> str:
    """Return the name that a table has in its file."""
    return IN_REJECTED.get(table) or {"claims": "claims_current", "quarantine": "quarantined_requests"}.get(
        table, table
    )


def _insert(table: str) -> str:
    columns = {
        "claims": ("digest", "fingerprint", "memory", "receipt"),
        "settled": ("id", "verdict", "position", "at"),
    }.get(table, TABLES[table])
    how = {"claims": "OR IGNORE", "secrets": "OR REPLACE"}.get(table, "")
    marks = ", ".join("?" * len(columns))
    return f"INSERT {how} INTO {_named(table)} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
