"""Puts the keys of an older file, which had a row each, where this version looks for them. Once a file."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable
from itertools import count

from gateway.storage.sqlite.statements import bulk_insert

PAGE = 100_000
TABLES = (
    ("SELECT key FROM keys_current", "INSERT INTO seen_current ", "DROP TABLE keys_current"),
    ("SELECT key FROM keys_previous", "INSERT INTO seen_previous ", "DROP TABLE keys_previous"),
)


def migrate_v2(connection: sqlite3.Connection, bucket: Callable[[bytes], int]) -> None:
    """Move the keys, all in one transaction, and drop their tables; nothing where there are none."""
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'keys_current'").fetchone():
        return
    connection.execute("BEGIN IMMEDIATE")
    for every, into, drop in TABLES:
        with_keys = connection.execute(every)
        for run in count(1):
            found: defaultdict[int, bytes] = defaultdict(bytes)
            for (key,) in with_keys.fetchmany(PAGE):
                found[bucket(key)] += key
            if not found:
                break
            # Numbers that no merge of this version has.
            bulk_insert(connection, into, 3, [value for each, keys in found.items() for value in (each, -run, keys)])
        connection.execute(drop)
    connection.execute("COMMIT")
