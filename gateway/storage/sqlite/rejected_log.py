"""The log of rejected requests, in a file of its own: bounded in bytes and age, written asynchronously.

Nothing here may delay an answer or make it fail. Rejections that come faster than they can be written are only counted,
and so are those that come while the file cannot be written. Several processes may write to the file.
"""

import asyncio
import contextlib
import logging
import math
import sqlite3
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from gateway import sqlite_file
from gateway.datadir import DataDir, sync_folder
from gateway.records.bounded_head import bounded
from gateway.records.rejected_request import PendingRejection, RejectedRequest
from gateway.storage import buckets

VERSION = 4
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
UPGRADES: Mapping[int, tuple[str, ...]] = {
    2: ("ALTER TABLE refused RENAME TO rejected",),
    3: tuple(f"ALTER TABLE rejected ADD COLUMN {name} TEXT" for name in ("credential_id", "origin", "request_id")),
    4: (BUCKETS,),
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
MAX_WAITING = 250
"""How many rejections of projects' own clients may wait for the next write, and how many of all others."""
MAX_WAITING_BYTES = 1 << 20
MAX_PATH, MAX_QUERY = 4096, 30_000
"""How much is kept of a request's path, in characters, and of its query, in bytes of JSON."""
BUSY_SECONDS = 2.0
"""How long to wait for another process's lock."""
STOP_SECONDS = 2.0
"""How long a stopping server prepares what waits; the rest is only counted."""
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


class RejectedRequestLog:
    """Collects rejections, and writes them every `pause` seconds.

    Requests of a project's own clients get half of `max_bytes` and a queue of their own, all others the other half:
    nobody without a key can push out the rejections of a project's own clients, not even somebody who names a public id
    of the project. Rejections older than `keep_seconds` are deleted.
    """

    def __init__(self, path: Path, max_bytes: int, keep_seconds: float, pause: float = 1.0) -> None:
        self._path = path
        self._max_bytes = max_bytes // 2
        self._keep_millis = int(keep_seconds * 1000)
        self._pause = pause
        self._waiting: tuple[deque[PendingRejection], deque[PendingRejection]] = (deque(), deque())
        self._bytes = [0, 0]
        self._counts: Counter[tuple[int, str, str]] = Counter()
        """By minute (its start, in seconds), project and dialect."""
        self._last_error = ""
        self._give_up_at = math.inf
        """When nothing more is prepared, by the monotonic clock. Read by the thread that writes."""

    def add(self, rejection: PendingRejection) -> None:
        """Queue a rejection for the next write, or only count it if too many wait. Never blocks and never fails."""
        known = rejection.is_clients
        minute = buckets.minute_of(rejection.request.received_at)
        self._counts[minute, rejection.project or "", rejection.dialect.name] += max(1, rejection.items)
        queue = self._waiting[known]
        if not self._max_bytes or len(queue) >= MAX_WAITING or self._bytes[known] > MAX_WAITING_BYTES:
            return
        self._bytes[known] += rejection.weight()
        queue.append(rejection)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write in the background during the block, and at its end what can still be prepared in STOP_SECONDS."""
        stopping = asyncio.Event()
        task = asyncio.get_running_loop().create_task(self._run(stopping))
        try:
            yield
        finally:
            # Not cancelled: what is being written would be neither counted nor written again if that fails.
            self._give_up_at = time.monotonic() + STOP_SECONDS
            stopping.set()
            await task
            await self._flush()
            self._give_up_at = math.inf

    async def _run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), self._pause)
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
            if str(error) != self._last_error:
                # Without its directory the whole gateway says why it accepts nothing: once is enough.
                level = logging.WARNING if self._path.parent.is_dir() else logging.DEBUG
                log.log(level, "cannot write %s: %s; rejected requests are only counted", self._path, error)
            self._last_error = str(error)
        except Exception:
            log.exception("a bug: some rejected requests were lost")
        else:
            self._last_error = ""

    def _write(self, rejections: list[PendingRejection], counts: Counter[tuple[int, str, str]]) -> None:
        rows: list[dict[str, Any]] = []
        for rejection in rejections:
            if time.monotonic() > self._give_up_at:
                lost = len(rejections) - len(rows)
                log.warning("the server stops: %d rejected requests are counted, but not kept", lost)
                break
            rows.append(_row(rejection.record()))
        if not self._path.exists():
            sqlite_file.create(self._path, TABLES + BUCKETS, VERSION)
        with sqlite_file.connected(self._path, "rw", timeout=BUSY_SECONDS) as connection:
            connection.execute("PRAGMA synchronous = NORMAL")
            with sqlite_file.transaction(connection):
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


def _row(rejected: RejectedRequest) -> dict[str, Any]:
    """Return the values of INSERT by name: beside the body no more than 64 KiB, whatever the head of the request is."""
    raw = rejected.raw
    path, query, headers = raw.path[:MAX_PATH], bounded(raw.query, MAX_QUERY), bounded(raw.headers)
    return {
        "received_at": rejected.received_at,
        "project": rejected.project,
        "dialect": rejected.dialect,
        "route": rejected.route,
        "reason": rejected.reason,
        "status": rejected.status,
        "faults": rejected.faults,
        "method": raw.method,
        "path": path,
        "query": query.decode(),
        "headers": headers.decode(),
        "body": raw.body,
        "client_ip": raw.client_ip,
        "site": raw.site,
        "cut": rejected.cut or query != raw.query,
        "size": 200 + len(rejected.faults) + len(path) + len(query) + len(headers) + len(raw.body),
        "known": rejected.is_clients,
        "credential_id": rejected.credential_id,
        "origin": rejected.origin,
        "request_id": rejected.request_id,
    }
