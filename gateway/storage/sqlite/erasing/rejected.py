"""Erasing from rejected.db: the rejected requests of a project, or of nobody known, that have the id. Synchronous.

Every process writes to that file, and so does the command. It is small: afterwards it is written anew.
"""

import sqlite3

from gateway.datadir import DataDir
from gateway.records.person import Person
from gateway.storage.sqlite.connection import sqlite_file
from gateway.storage.sqlite.rejected_file import BUSY_SECONDS

PAGE = (
    "SELECT id, size, known, CAST(faults AS BLOB), CAST(path AS BLOB), CAST(query AS BLOB), CAST(headers AS BLOB), "
    "CAST(body AS BLOB), CAST(coalesce(origin, '') AS BLOB) FROM rejected "
    "WHERE id > ?1 AND received_at <= ?2 AND (project IS NULL OR project = '' OR project = ?3) ORDER BY id LIMIT 200"
)
SHRINK = "UPDATE totals SET bytes = max(0, bytes - ?) WHERE known = ?"


def erase_rejected(directory: DataDir, person: Person, until: int, *, dry_run: bool) -> int:
    """Delete rejected requests with the id received until a time, and return how many. Raises sqlite3.Error."""
    if not directory.rejected.exists():
        return 0
    with sqlite_file.connected(directory.rejected, "ro" if dry_run else "rw", timeout=BUSY_SECONDS) as file:
        found = _found(file, person, until)
        if dry_run:
            return len(found)
        file.execute("PRAGMA secure_delete = ON").fetchall()
        deleted = 0
        for number, size, known in found:
            with sqlite_file.transaction(file):
                if file.execute("DELETE FROM rejected WHERE id = ?", (number,)).rowcount:
                    file.execute(SHRINK, (size, known))
                    deleted += 1
        return deleted


def write_anew(directory: DataDir) -> bool:
    """Write the file anew and empty its write-ahead log; return whether that was possible. Raises sqlite3.Error."""
    if not directory.rejected.exists():
        return True
    with sqlite_file.connected(directory.rejected, "rw", timeout=BUSY_SECONDS) as file:
        file.execute("VACUUM")
        busy, _, _ = file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy


def _found(file: sqlite3.Connection, person: Person, until: int) -> list[tuple[int, int, int]]:
    """Return the requests that have the id, as `(id, size, known)`."""
    found: list[tuple[int, int, int]] = []
    after = 0
    while page := file.execute(PAGE, (after, until, person.project)).fetchall():
        for after, size, known, *parts in page:
            if any(person.found_in(part) for part in parts):
                found.append((after, size, known))
    return found
