"""The log of rejected requests, in a file of its own: bounded by bytes and by age, written asynchronously.

Nothing here may keep an answer waiting or make it fail. What comes faster than it is written is only counted; while
the file cannot be written, nothing is kept. Several processes may write to the file.
"""

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections import Counter, deque
from collections.abc import AsyncIterator
from pathlib import Path

from gateway import sqlite_file
from gateway.datadir import DataDir, sync_folder
from gateway.records.rejected_request import PendingRejection, RejectedRequest

VERSION = 2
OLDER_NAME = "refused.db"
"""The file's name in version 1, where its table was called `refused`."""
TABLES = """
CREATE TABLE rejected (id INTEGER PRIMARY KEY AUTOINCREMENT, received_at INTEGER NOT NULL, project TEXT,
    dialect TEXT NOT NULL, route TEXT, reason TEXT NOT NULL, status INTEGER NOT NULL, faults TEXT NOT NULL,
    method TEXT NOT NULL, path TEXT NOT NULL, query TEXT NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL,
    client_ip TEXT, site TEXT, cut INTEGER NOT NULL, size INTEGER NOT NULL, known INTEGER NOT NULL, replayed TEXT);
CREATE INDEX rejected_by_known ON rejected (known, id);
CREATE TABLE totals (known INTEGER PRIMARY KEY, bytes INTEGER NOT NULL);
INSERT INTO totals VALUES (0, 0), (1, 0);
CREATE TABLE counts (project TEXT NOT NULL, dialect TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (project, dialect)) WITHOUT ROWID;
PRAGMA user_version = 2;
"""
UPGRADE = "ALTER TABLE refused RENAME TO rejected"
INSERT = "INSERT INTO rejected VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)"
COUNT = (
    "INSERT INTO counts VALUES (?, ?, ?) ON CONFLICT (project, dialect) DO UPDATE SET count = count + excluded.count"
)
OLDEST = "SELECT id, received_at, size FROM rejected WHERE known = ? ORDER BY id LIMIT 500"
MAX_WAITING = 250  # of either kind, between two writes
MAX_WAITING_BYTES = 1 << 20
BUSY_SECONDS = 2.0
log = logging.getLogger(__name__)


def upgrade(directory: DataDir) -> None:
    """Give the file of an older gateway its new name and table; for the holder of the directory's lock.

    A kill in between is no harm: the next start goes on. Raises sqlite3.Error and OSError.
    """
    older = directory.path / OLDER_NAME
    if not older.exists() or directory.rejected.exists():
        return
    with sqlite_file.connected(older, "rw", timeout=BUSY_SECONDS) as connection:
        if sqlite_file.version(connection, older, VERSION) == 1:
            with sqlite_file.transaction(connection):
                connection.execute(UPGRADE)
                connection.execute(f"PRAGMA user_version = {VERSION}")
        # Into the file and out of its WAL, which keeps the old name. The close then removes the WAL.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    older.rename(directory.rejected)
    sync_folder(directory.path)


class RejectedRequestLog:
    """Takes rejections, and writes them every `pause` seconds.

    Half of `max_bytes` is for requests whose project is known and half for those of strangers, and so is the queue:
    without a key nobody can push out the rejections of a project's own clients. `keep_seconds` bounds the age.
    """

    def __init__(self, path: Path, max_bytes: int, keep_seconds: float, pause: float = 1.0) -> None:
        self._path = path
        self._max_bytes = max_bytes // 2
        self._keep_millis = int(keep_seconds * 1000)
        self._pause = pause
        self._waiting: tuple[deque[PendingRejection], deque[PendingRejection]] = (deque(), deque())
        self._bytes = [0, 0]
        self._counts: Counter[tuple[str, str]] = Counter()
        self._trouble = ""

    def add(self, rejection: PendingRejection) -> None:
        """Take a rejection, or only count it where too many wait."""
        known = rejection.project is not None
        self._counts[rejection.project or "", rejection.dialect.name] += max(1, rejection.items)
        queue = self._waiting[known]
        if not self._max_bytes or len(queue) >= MAX_WAITING or self._bytes[known] > MAX_WAITING_BYTES:
            return
        self._bytes[known] += rejection.weight()
        queue.append(rejection)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write as long as this lasts, and at its end what waits then."""
        task = asyncio.get_running_loop().create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            await self._flush()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._pause)
            await self._flush()

    async def _flush(self) -> None:
        if not self._counts:
            return
        rejections = [*self._waiting[1], *self._waiting[0]]
        counts, self._counts = self._counts, Counter()
        self._waiting, self._bytes = (deque(), deque()), [0, 0]
        try:
            await asyncio.to_thread(self._write, rejections, counts)
        except (sqlite3.Error, OSError) as error:
            self._counts += counts
            if str(error) != self._trouble:
                log.warning("cannot write %s: %s; rejected requests are not kept", self._path, error)
            self._trouble = str(error)
        except Exception:
            log.exception("a bug: rejected requests were not kept")
        else:
            self._trouble = ""

    def _write(self, rejections: list[PendingRejection], counts: Counter[tuple[str, str]]) -> None:
        rows = [_row(rejection.record()) for rejection in rejections]
        if not self._path.exists():
            sqlite_file.make(self._path, TABLES)
        with sqlite_file.connected(self._path, "rw", timeout=BUSY_SECONDS) as connection:
            connection.execute("PRAGMA synchronous = NORMAL")
            with sqlite_file.transaction(connection):
                connection.executemany(INSERT, rows)
                connection.executemany(COUNT, [(*name, count) for name, count in counts.items()])
                for known in (0, 1):
                    added = sum([int(str(row[-2])) for row in rows if row[-1] == known])
                    self._trim(connection, known, added)

    def _trim(self, connection: sqlite3.Connection, known: int, added: int) -> None:
        (total,) = connection.execute("SELECT bytes FROM totals WHERE known = ?", (known,)).fetchone()
        total += added
        too_old = time.time_ns() // 1_000_000 - self._keep_millis
        more = True
        while more:
            oldest = connection.execute(OLDEST, (known,)).fetchall()
            gone = 0
            for number, received_at, size in oldest:
                if total <= self._max_bytes and received_at >= too_old:
                    break
                gone, total = number, total - size
            connection.execute("DELETE FROM rejected WHERE known = ? AND id <= ?", (known, gone))
            more = bool(oldest) and gone == oldest[-1][0]
        connection.execute("UPDATE totals SET bytes = ? WHERE known = ?", (max(0, total), known))


def _row(rejected: RejectedRequest) -> tuple[object, ...]:
    """Return the values of INSERT; the last two are its size in bytes and whether its project is known."""
    raw = rejected.raw
    size = 200 + len(rejected.faults) + len(raw.path) + len(raw.query) + len(raw.headers) + len(raw.body)
    return (
        rejected.received_at,
        rejected.project,
        rejected.dialect,
        rejected.route,
        rejected.reason,
        rejected.status,
        rejected.faults,
        raw.method,
        raw.path,
        raw.query.decode(),
        raw.headers.decode(),
        raw.body,
        raw.client_ip,
        raw.site,
        rejected.cut,
        size,
        rejected.project is not None,
    )
