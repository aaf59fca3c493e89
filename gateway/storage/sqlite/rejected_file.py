"""The rejected requests of a data directory, in a file of their own: bounded in bytes and age.

Several processes may write to the file. The uses of credentials are in it too, see credential_uses.py.
"""

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.datadir import DataDir, sync_folder
from gateway.storage import buckets
from gateway.storage.rejected_log import Counts, RejectedRequestLog
from gateway.storage.sqlite.connection import sqlite_file

VERSION = 5
OLDER_NAME = "refused.db"
"""The file's name in version 1, where its table was called `refused`."""
TABLES = """
CREATE TABLE rejected (id INTEGER PRIMARY KEY AUTOINCREMENT, received_at INTEGER NOT NULL, project TEXT,
    dialect TEXT NOT NULL, route TEXT, reason TEXT NOT NULL, status INTEGER NOT NULL, faults TEXT NOT NULL,
    method TEXT NOT NULL, path TEXT NOT NULL, query TEXT NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL,
    client_ip TEXT, site TEXT, cut INTEGER NOT NULL, size INTEGER NOT NULL, known INTEGER NOT NULL, replayed TEXT,
    credential_id TEXT, origin TEXT, request_id TEXT);
CREATE INDEX rejected_by_known ON rejected (known, id);
CREATE TABLE totals (known INTEGER PRIMARY KEY, bytes INTEGER NOT NULL);
INSERT INTO totals VALUES (0, 0), (1, 0);
CREATE TABLE counts (project TEXT NOT NULL, dialect TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (project, dialect)) WITHOUT ROWID;
"""
BUCKETS = """
CREATE TABLE count_buckets (span INTEGER, start INTEGER, project TEXT, dialect TEXT, count INTEGER NOT NULL,
    PRIMARY KEY (span, start, project, dialect)) WITHOUT ROWID
"""
USES = """
CREATE TABLE credential_uses (project TEXT, credential TEXT, day INTEGER, requests INTEGER NOT NULL,
    rejected INTEGER NOT NULL, last_used INTEGER NOT NULL, PRIMARY KEY (project, credential, day)) WITHOUT ROWID
"""
UPGRADES: Mapping[int, tuple[str, ...]] = {
    2: ("ALTER TABLE refused RENAME TO rejected",),
    3: tuple(f"ALTER TABLE rejected ADD COLUMN {name} TEXT" for name in ("credential_id", "origin", "request_id")),
    4: (BUCKETS,),
    5: (USES,),
}
"""What leads to each version from the one before. Never changed once released."""
INSERT = (
    "INSERT INTO rejected VALUES (NULL, :received_at, :project, :dialect, :route, :reason, :status, :faults, :method, "
    ":path, :query, :headers, :body, :client_ip, :site, :cut, :size, :known, NULL, :credential_id, :origin, "
    ":request_id)"
)
COUNT = (
    "INSERT INTO counts VALUES (?, ?, ?) ON CONFLICT (project, dialect) DO UPDATE SET count = count + excluded.count"
)
ADD_TO_BUCKET = (
    "INSERT INTO count_buckets VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (span, start, project, dialect) DO UPDATE SET count = count + excluded.count"
)
EXPIRED_BUCKETS = "DELETE FROM count_buckets WHERE span = ? AND start <= ?"
OLDEST = "SELECT id, received_at, size FROM rejected WHERE known = ? ORDER BY id LIMIT 500"
BUSY_SECONDS = 2.0
"""How long to wait for another process's lock."""
log = logging.getLogger(__name__)


def upgrade(directory: DataDir) -> None:
    """Upgrade the file of an older gateway. Only the holder of the directory's lock may call this.

    After a kill in between, the next start goes on where this one ended. Raises DataDirError, sqlite3.Error and
    OSError.
    """
    older = directory.path / OLDER_NAME
    if directory.rejected.exists():
        try:
            _upgrade_tables(directory.rejected)
        except sqlite3.Error as error:  # a damaged file keeps nobody from storing events
            log.warning("cannot upgrade %s: %s; rejected requests are only counted", directory.rejected, error)
    elif older.exists():
        _upgrade_tables(older)
        older.rename(directory.rejected)
        sync_folder(directory.path)


def _upgrade_tables(path: Path) -> None:
    with sqlite_file.connected(path, "rw", timeout=BUSY_SECONDS) as connection:
        before = sqlite_file.version(connection, path, VERSION)
        for version in range(before + 1, VERSION + 1) if before else ():
            with sqlite_file.transaction(connection):
                for statement in UPGRADES[version]:
                    connection.execute(statement)
                sqlite_file.set_version(connection, version)
        if path.name == OLDER_NAME:
            # The WAL would keep the old name: empty it, so that the close removes it.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def make(path: Path) -> None:
    """Create the file if it is missing. Raises OSError and sqlite3.Error."""
    if not path.exists():
        sqlite_file.create(path, ";".join((TABLES, BUCKETS, USES)), VERSION)


@contextlib.contextmanager
def written(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file to be written; it is made if it is missing. A crash may lose the last writes. Raises as `make`."""
    make(path)
    with sqlite_file.connected(path, "rw", timeout=BUSY_SECONDS) as connection:
        connection.execute("PRAGMA synchronous = NORMAL")
        yield connection


def rejected_log(path: Path, max_bytes: int, keep_seconds: float, pause: float = 1.0) -> RejectedRequestLog:
    """Return a log of rejected requests over the file; without `max_bytes` they are only counted."""
    return RejectedRequestLog(RejectedFile(path, max_bytes, keep_seconds), keep=max_bytes > 0, pause=pause)


class RejectedFile:
    """Writes rejections into the file. See RejectedWriter.

    Requests of a project's own clients get half of `max_bytes`, all others the other half. Rejections older than
    `keep_seconds` are deleted.
    """

    expected: tuple[type[Exception], ...] = (sqlite3.Error,)

    def __init__(self, path: Path, max_bytes: int, keep_seconds: float) -> None:
        self.name = str(path)
        self._path = path
        self._max_bytes = max_bytes // 2
        self._keep_millis = int(keep_seconds * 1000)

    async def write(self, rows: Callable[[], Sequence[dict[str, Any]]], counts: Counts) -> None:
        """See RejectedWriter."""
        await asyncio.to_thread(self._write, rows, counts)

    def is_gone(self) -> bool:
        """See RejectedWriter."""
        return not self._path.parent.is_dir()

    async def close(self) -> None:
        """See RejectedWriter. The file is closed after each write."""

    def _write(self, prepare: Callable[[], Sequence[dict[str, Any]]], counts: Counts) -> None:
        rows = prepare()
        with written(self._path) as connection, sqlite_file.transaction(connection):
            connection.executemany(INSERT, rows)
            connection.executemany(COUNT, [(*name, count) for (_, *name), count in counts.items()])
            connection.executemany(ADD_TO_BUCKET, buckets.rows(counts.items()))
            newest = max(minute for minute, *_ in counts)
            expired = [(span, buckets.expired_before(span, newest)) for span in buckets.KEPT]
            connection.executemany(EXPIRED_BUCKETS, expired)
            for known in (0, 1):
                self._trim(connection, known, sum([row["size"] for row in rows if row["known"] == known]))

    def _trim(self, connection: sqlite3.Connection, known: int, added: int) -> None:
        """Delete the oldest rejections of one kind until the rest is small and young enough; `added` is in bytes."""
        (total,) = connection.execute("SELECT bytes FROM totals WHERE known = ?", (known,)).fetchone()
        total += added
        too_old = time.time_ns() // 1_000_000 - self._keep_millis
        more = True
        while more:
            oldest = connection.execute(OLDEST, (known,)).fetchall()
            delete_up_to = 0
            for number, received_at, size in oldest:
                if total <= self._max_bytes and received_at >= too_old:
                    break
                delete_up_to, total = number, total - size
            connection.execute("DELETE FROM rejected WHERE known = ? AND id <= ?", (known, delete_up_to))
            more = bool(oldest) and delete_up_to == oldest[-1][0]
        connection.execute("UPDATE totals SET bytes = ? WHERE known = ?", (max(0, total), known))
