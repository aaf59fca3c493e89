"""Overwriting what is free in events.db, and emptying its write-ahead log. Synchronous, on the writer's thread.

A page that became free keeps what it held until it is used again. So zeros are written into a table until no page is
free, and then the table goes. Other commits run in between, and may use some of the free pages themselves: that is as
good. The unused parts of pages in use hold nothing, because the writer overwrites what it deletes there
(`secure_delete = FAST`), and whole pages where one transaction may use them again (sqlite_file.overwriting); only older
gateways did not, which `meta` says as `unscrubbed`. Such a file is written anew.
"""

import sqlite3

from gateway.storage.sqlite.connection import sqlite_file

PAGES = 1000
"""How many pages are overwritten in one transaction: four megabytes."""
BUSY_MILLIS = 200
"""How long one try waits for readers to leave the write-ahead log; commits wait meanwhile."""
UNSCRUBBED = "SELECT EXISTS (SELECT 1 FROM meta WHERE name = 'unscrubbed')"


def is_unscrubbed(connection: sqlite3.Connection) -> bool:
    """Return whether an older gateway's deletions may have left something in the unused parts of pages."""
    return bool(connection.execute(UNSCRUBBED).fetchone()[0])


def overwrite(connection: sqlite3.Connection) -> int:
    """Overwrite some free pages; return how many are left."""
    with sqlite_file.transaction(connection):
        connection.execute("CREATE TABLE IF NOT EXISTS overwritten (content BLOB)")
        free = _free(connection)
        if free:
            (page,) = connection.execute("PRAGMA page_size").fetchone()
            content = _size(page, min(free, PAGES))
            connection.execute("INSERT INTO overwritten VALUES (zeroblob(?))", (content,))
        return _free(connection)


def clean(connection: sqlite3.Connection) -> bool:
    """Let go of the overwritten pages, and empty the write-ahead log; return whether it is empty."""
    connection.execute("DROP TABLE IF EXISTS overwritten")
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLIS}").fetchall()
    try:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute("PRAGMA busy_timeout = 5000").fetchall()
    return not busy


def vacuum(connection: sqlite3.Connection) -> None:
    """Write the whole file anew. It takes as much room again, and as long as copying it does."""
    connection.execute("DROP TABLE IF EXISTS overwritten")
    connection.execute("VACUUM")
    connection.execute("DELETE FROM meta WHERE name = 'unscrubbed'")


def _free(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA freelist_count").fetchone()[0])


def _size(page: int, pages: int) -> int:
    """Return the size of a blob that fills so many overflow pages to their last byte, see the SQLite file format.

    The beginning of a row, as much as is kept beside them, is the smallest that SQLite keeps there.
    """
    row = (page - 12) * 32 // 255 - 23 + pages * (page - 4)
    content = row
    while 1 + _varint(2 * content + 12) + content > row:
        content -= 1
    return content


def _varint(number: int) -> int:
    """Return how many bytes a number takes in a row's header."""
    return max(1, (number.bit_length() + 6) // 7)
