"""Moves the quarantine of a version 5 file, which had a row for each item, to a row for each request. Once per file."""

import sqlite3
from collections.abc import Callable

from gateway.records.raw_request import RawRequest, compress
from gateway.storage.quarantined_items import StoredItem, encode_old_items
from gateway.storage.sqlite.connection import sqlite_file

ITEMS = 5000
"""How many items one transaction moves, and those of one request more."""
NEXT = "SELECT id, receipt FROM quarantine_v5 ORDER BY id LIMIT 1"
WHERE = (" FROM quarantine_v5 WHERE id = ?", " FROM quarantine_v5 WHERE receipt = ?")
COLUMNS = "SELECT id, message_id, received_at, project, dialect, route, verdict, item, faults, payload, key"
REQUEST = (
    "SELECT method, path, CAST(query AS BLOB), CAST(headers AS BLOB), body, client_ip, site "
    "FROM requests_v5 WHERE receipt = ?"
)
INSERT = (
    "INSERT INTO quarantined_requests (id, last, remaining, size, received_at, project, dialect, route, receipt, "
    "items, keys, request) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"
)
ADD_TO_SIZE = (
    "INSERT INTO quarantine_sizes VALUES (?, ?) ON CONFLICT (project) DO UPDATE SET bytes = bytes + excluded.bytes"
)
OVERHEAD, KEY_OVERHEAD = 300, 30  # as in decide.py


def migrate_v5(connection: sqlite3.Connection, hash_of: Callable[[bytes], bytes], most: int = ITEMS) -> None:
    """Move all items, about `most` in each transaction, and drop their tables.

    A start after a kill goes on where it ended. Does nothing if the tables do not exist.
    """
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'quarantine_v5'").fetchone():
        return
    while connection.execute(NEXT).fetchone():
        with sqlite_file.transaction(connection):
            moved = 0
            while moved < most and (found := connection.execute(NEXT).fetchone()):
                number, receipt = found
                moved += _move(connection, number, receipt, hash_of)
    with sqlite_file.transaction(connection):
        connection.execute("DROP TABLE quarantine_v5")
        connection.execute("DROP TABLE requests_v5")


def _move(connection: sqlite3.Connection, number: int, receipt: int | None, hash_of: Callable[[bytes], bytes]) -> int:
    """Move the items of one request; return how many they are."""
    where, which = WHERE[receipt is not None], number if receipt is None else receipt
    rows = connection.execute(f"{COLUMNS}{where} ORDER BY id", (which,)).fetchall()
    items = encode_old_items(
        [
            StoredItem(number=row[0], index=row[7], verdict=row[6], message_id=row[1], faults=row[8], payload=row[9])
            for row in rows
        ]
    )
    keys = [None if row[10] is None else hash_of(row[10]) for row in rows]
    hashes = [key for key in keys if key is not None]
    request = connection.execute(REQUEST, (receipt,)).fetchone()
    compressed = None if request is None else compress(_raw(*request))
    size = OVERHEAD + len(items) + len(compressed or b"") + KEY_OVERHEAD * len(hashes)
    _, _, received_at, project, dialect, route, *_ = rows[0]
    connection.execute(
        INSERT,
        (
            *(rows[0][0], rows[-1][0], len(rows), size, received_at, project, dialect, route, receipt, items),
            *(b"".join([key or bytes(8) for key in keys]) if hashes else None, compressed),
        ),
    )
    connection.executemany(
        "INSERT OR IGNORE INTO quarantined_keys VALUES (?)",
        [(int.from_bytes(key, "big", signed=True),) for key in hashes],
    )
    connection.execute(ADD_TO_SIZE, (project, size))
    connection.execute("DELETE FROM requests_v5 WHERE receipt = ?", (receipt,))
    connection.execute(f"DELETE{where}", (which,))
    return len(rows)


def _raw(
    method: str, path: str, query: bytes, headers: bytes, body: bytes, client_ip: str | None, site: str | None
) -> RawRequest:
    return RawRequest(method=method, path=path, query=query, headers=headers, body=body, client_ip=client_ip, site=site)
