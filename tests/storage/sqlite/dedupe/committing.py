"""One commit as the log writer does it, and what is then on disk."""

import sqlite3

from gateway.storage.sqlite.dedupe.known_keys import KnownKeys
from gateway.storage.sqlite.log.chunks import keys_of


def commit(connection: sqlite3.Connection, known_keys: KnownKeys, position: int, *keys: bytes) -> int:
    """Do one commit; return how many buckets were flushed with it."""
    connection.execute("BEGIN")
    flushed = known_keys.flush(connection, position, len(keys))
    connection.execute("COMMIT")
    known_keys.remember(keys, flushed)
    return flushed


def on_disk(connection: sqlite3.Connection) -> list[bytes]:
    return sorted(key for (keys,) in connection.execute("SELECT keys FROM seen_current") for key in keys_of(keys))
