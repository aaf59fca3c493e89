"""Moves the keys of a version 2 file, which had a row for each key, into the buckets of this version. Once per file."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable
from itertools import count

from gateway.storage.sqlite.connection import sqlite_file
from gateway.storage.sqlite.connection.statements import bulk_insert

PAGE = 100_000
TABLES = (
    ("SELECT key FROM keys_current", "INSERT INTO seen_current ", "DROP TABLE keys_current"),
    ("SELECT key FROM keys_previous", "INSERT INTO seen_previous ", "DROP TABLE keys_previous"),
)


def migrate_v2(connection: sqlite3.Connection, bucket_of: Callable[[bytes], int]) -> None:
    """Move all keys in one transaction, and drop their old tables. Does nothing if those do not exist."""
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'keys_current'").fetchone():
        return
    with sqlite_file.transaction(connection):
        for select, insert, drop in TABLES:
            rows = connection.execute(select)
            for page in count(1):
                buckets: defaultdict[int, bytes] = defaultdict(bytes)
                for (key,) in rows.fetchmany(PAGE):
                    buckets[bucket_of(key)] += key
                if not buckets:
                    break
                # The runs are negative, so that they differ from those of a flush, which are positions.
                flat = [value for bucket, keys in buckets.items() for value in (bucket, -page, keys)]
                bulk_insert(connection, insert, 3, flat)
            connection.execute(drop)
