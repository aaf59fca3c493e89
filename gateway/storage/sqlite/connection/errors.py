"""What SQLite's errors mean: try again later, open the file anew, or the entry is at fault. No SQL."""

import errno
import sqlite3

from gateway.dialect.outcome import StorageUnavailable
from gateway.storage.contract import Broken

# The commit was rolled back and nothing is damaged: the next one may succeed.
TEMPORARY = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM}
BREAKING = {
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
}
# A position or an idempotency record exists already: another process wrote to the file, so memory is out of date.
STALE = {sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID}


def classify(error: sqlite3.Error | OSError) -> Exception:
    """Return what an error means to group commit: Broken, StorageUnavailable, or itself if an entry is at fault."""
    if isinstance(error, OSError):
        if error.errno == errno.EIO:
            return Broken(f"the disk failed: {error}")
        return StorageUnavailable(f"a file cannot be written: {error}")
    code = getattr(error, "sqlite_errorcode", 0)
    if code & 0xFF in BREAKING or code in STALE:
        return Broken(f"the database failed: {error}")
    if code & 0xFF in TEMPORARY:
        return StorageUnavailable(f"the database cannot be written: {error}")
    return error
