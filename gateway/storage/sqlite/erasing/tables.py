"""The tables of what was erased: who and which messages, as hashes. Synchronous."""

import sqlite3

from gateway.storage.erasing.guard import Guard

READ_SECRET = "SELECT value FROM meta WHERE name = 'erasure_secret'"  # noqa: S105 (a statement)
ERASURES = "SELECT project, kind, hash, at FROM erasures"


def read_secret(connection: sqlite3.Connection) -> bytes:
    """Return the secret under which this store's hashes are made."""
    return bytes(connection.execute(READ_SECRET).fetchone()[0])


def read_guard(connection: sqlite3.Connection) -> Guard:
    """Return what keeps erased persons from coming back."""
    erasures: dict[str, dict[bytes, int]] = {}
    for project, _, hashed, at in connection.execute(ERASURES).fetchall():
        erasures.setdefault(project, {})[hashed] = at
    return Guard(read_secret(connection), erasures)
