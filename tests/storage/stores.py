"""What the storage tests share: entries that are short to write, and stores on a real file."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import attrs

from gateway.datadir import find, make
from gateway.storage.group_commit import GroupCommit
from gateway.storage.sqlite.checkpointer import CheckpointPace
from gateway.storage.sqlite.engine import SqliteEngine
from gateway.storage.sqlite.log_settings import LogSettings
from gateway.storage.sqlite.read.reader import Reader
from tests.kit.log_reading import stored_lines


@attrs.define
class Clock:
    """A monotonic clock that a test moves."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def opened(
    path: Path,
    *,
    window: float = 3600.0,
    clock: Callable[[], float] | None = None,
    max_memtable_keys: int = 100_000,
    queue_bytes: int = 1 << 26,
    retry_seconds: float = 3600.0,
    keep_raw: float = 0.0,
    keep_events: float = 0.0,
    keep_events_of: Callable[[str], float] | None = None,
    tidy_every: float = 3600.0,
    wall_clock: Callable[[], float] = lambda: 0.0,
    quarantine_bytes: int = 1 << 40,
    pace: CheckpointPace | None = None,
    save_every: int = 1_000_000,
    compress: bool = False,
) -> AsyncIterator[tuple[GroupCommit, SqliteEngine]]:
    """A store with its engine; no test waits for its retries unless it says so. Times are in seconds."""
    settings = LogSettings(
        window=window,
        keep_raw=keep_raw,
        keep_events_of=keep_events_of or (lambda _project: keep_events),
        tidy_every=tidy_every,
        wall_clock=wall_clock,
        max_memtable_keys=max_memtable_keys,
        save_every=save_every,
        clock=clock or Clock(),
        quarantine_bytes=lambda _project: quarantine_bytes,
        compress=compress,
    )
    engine = await SqliteEngine.open(make(path), settings, pace=pace)
    storage = GroupCommit(engine, queue_bytes=queue_bytes, retry_seconds=retry_seconds)
    try:
        yield storage, engine
    finally:
        await storage.close()


def query(path: Path, statement: str) -> list[tuple[object, ...]]:
    """What plain sqlite3 answers about a data directory's events.db."""
    with closing(sqlite3.connect(path / "events.db")) as connection:
        return connection.execute(statement).fetchall()


def stored(path: Path) -> list[bytes]:
    return stored_lines(path)


def counted(path: Path) -> dict[str, int]:
    """The counters, summed by verdict."""
    counts = dict.fromkeys(("received", "stored", "duplicate", "quarantined"), 0)
    with Reader(find(path)) as reader:
        for counter in reader.counters():
            counts[str(counter["verdict"])] += int(str(counter["count"]))
    return counts


def without_version_8(file: sqlite3.Connection) -> None:
    """Take from an events.db what version 8 added, on the way to a file of an older gateway."""
    file.execute("DROP VIEW events")
    file.execute("ALTER TABLE log DROP COLUMN gone")
