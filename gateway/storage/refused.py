"""The ring of refused requests, in a file of its own: bounded by bytes and by age, written behind everybody's back.

Nothing here may keep an answer waiting or make it fail. What comes faster than it is written is counted and forgotten;
a file that cannot be written is left alone until it can. Several processes may write to the file.
"""

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Protocol

import attrs

from gateway.storage.base import Raw
from gateway.storage.datadir import appearing

VERSION = 1
TABLES = """
CREATE TABLE refused (id INTEGER PRIMARY KEY AUTOINCREMENT, received_at INTEGER NOT NULL, project TEXT,
    dialect TEXT NOT NULL, route TEXT, reason TEXT NOT NULL, status INTEGER NOT NULL, faults TEXT NOT NULL,
    method TEXT NOT NULL, path TEXT NOT NULL, query TEXT NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL,
    client_ip TEXT, site TEXT, cut INTEGER NOT NULL, size INTEGER NOT NULL, known INTEGER NOT NULL, replayed TEXT);
CREATE INDEX refused_by_known ON refused (known, id);
CREATE TABLE totals (known INTEGER PRIMARY KEY, bytes INTEGER NOT NULL);
INSERT INTO totals VALUES (0, 0), (1, 0);
CREATE TABLE counts (project TEXT NOT NULL, dialect TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (project, dialect)) WITHOUT ROWID;
PRAGMA user_version = 1;
"""
KEEP = "INSERT INTO refused VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)"
ADD_UP = (
    "INSERT INTO counts VALUES (?, ?, ?) ON CONFLICT (project, dialect) DO UPDATE SET count = count + excluded.count"
)
OLDEST = "SELECT id, received_at, size FROM refused WHERE known = ? ORDER BY id LIMIT 500"
MOST_BODY = 64 * 1024
MOST_WAITING = 250  # of either kind, between two writes
MOST_WAITING_BYTES = 1 << 20
BUSY = 2.0
log = logging.getLogger("gateway.storage")


@attrs.frozen
class Refused:
    """One refused request as it is kept. `faults` is JSON; `cut` says that the body is only its beginning."""

    received_at: int
    project: str | None
    dialect: str
    route: str | None
    reason: str
    status: int
    faults: str
    raw: Raw
    cut: bool

    def row(self) -> tuple[object, ...]:
        """Return the row, without its number."""
        raw = self.raw
        texts = (raw.method, raw.path, raw.query.decode(), raw.headers.decode(), raw.body, raw.client_ip, raw.site)
        size = 200 + len(self.faults) + len(raw.path) + len(raw.query) + len(raw.headers) + len(raw.body)
        head = (self.received_at, self.project, self.dialect, self.route, self.reason, self.status, self.faults)
        return (*head, *texts, self.cut, size, self.project is not None)


class Note(Protocol):
    """A refused request as it is handed in: the work of making it fit to keep is done later, on another thread."""

    @property
    def project(self) -> str | None:
        """Whose it was, where that was found out."""
        ...

    @property
    def dialect(self) -> str:
        """Whose protocol it spoke."""
        ...

    @property
    def items(self) -> int:
        """How many items it brought, as far as they could be told apart."""
        ...

    def weight(self) -> int:
        """Return about how many bytes of memory it holds."""
        ...

    def made(self) -> Refused:
        """Return what is kept of it."""
        ...


class RefusedRing:
    """Takes notes in, and writes them every `pause` seconds.

    Half of `most_bytes` is for requests whose project is known and half for those of strangers, and so is the queue:
    nobody without a key can push out what others' clients did wrong. `keep_seconds` bounds the age.
    """

    def __init__(self, path: Path, most_bytes: int, keep_seconds: float, pause: float = 1.0) -> None:
        self._path = path
        self._most_bytes = most_bytes // 2
        self._keep_millis = int(keep_seconds * 1000)
        self._pause = pause
        self._waiting: tuple[deque[Note], deque[Note]] = (deque(), deque())
        self._bytes = [0, 0]
        self._counts: Counter[tuple[str, str]] = Counter()
        self._trouble = ""

    def note(self, note: Note) -> None:
        """Take a note in, or forget it where too many wait; it is counted in any case."""
        known = note.project is not None
        self._counts[note.project or "", note.dialect] += max(1, note.items)
        queue = self._waiting[known]
        if not self._most_bytes or len(queue) >= MOST_WAITING or self._bytes[known] > MOST_WAITING_BYTES:
            return
        self._bytes[known] += note.weight()
        queue.append(note)

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
        notes = [*self._waiting[1], *self._waiting[0]]
        counts, self._counts = self._counts, Counter()
        self._waiting, self._bytes = (deque(), deque()), [0, 0]
        try:
            await asyncio.to_thread(self._write, notes, counts)
        except (sqlite3.Error, OSError) as error:
            self._counts += counts
            if str(error) != self._trouble:
                log.warning("cannot write %s: %s; refused requests are not kept", self._path, error)
            self._trouble = str(error)
        except Exception:
            log.exception("a bug kept refused requests from being kept")
        else:
            self._trouble = ""

    def _write(self, notes: list[Note], counts: Counter[tuple[str, str]]) -> None:
        rows = [note.made().row() for note in notes]
        with connected(self._path) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(KEEP, rows)
            connection.executemany(ADD_UP, [(*name, count) for name, count in counts.items()])
            for known in (0, 1):
                added = sum([int(str(row[-2])) for row in rows if row[-1] == known])
                self._trim(connection, known, added)
            connection.execute("COMMIT")

    def _trim(self, connection: sqlite3.Connection, known: int, added: int) -> None:
        (total,) = connection.execute("SELECT bytes FROM totals WHERE known = ?", (known,)).fetchone()
        total += added
        too_old = time.time_ns() // 1_000_000 - self._keep_millis
        more = True
        while more:
            oldest = connection.execute(OLDEST, (known,)).fetchall()
            gone = 0
            for number, received_at, size in oldest:
                if total <= self._most_bytes and received_at >= too_old:
                    break
                gone, total = number, total - size
            connection.execute("DELETE FROM refused WHERE known = ? AND id <= ?", (known, gone))
            more = bool(oldest) and gone == oldest[-1][0]
        connection.execute("UPDATE totals SET bytes = ? WHERE known = ?", (max(0, total), known))


@contextlib.contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file, made where there is none, for this user alone; what is not committed is rolled back."""
    if not path.exists():
        _make(path)
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = NORMAL")
        yield connection
    finally:
        connection.close()


def _make(path: Path) -> None:
    """Make the file whole: several fronts may be the first at once, and none waits for another's switch to WAL."""
    with appearing(path) as part, contextlib.closing(sqlite3.connect(part, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
        connection.executescript(TABLES)
