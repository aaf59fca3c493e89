"""A data directory as the target of a move. Its lock is held all the time."""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from gateway.datadir import DataDir, DataDirError, make, sync_folder
from gateway.storage.contract import Blob
from gateway.storage.moving import LogBatch, Row
from gateway.storage.read import LogReader
from gateway.storage.sqlite.blobs import Blobs
from gateway.storage.sqlite.connection import sqlite_file
from gateway.storage.sqlite.connection.database_thread import DatabaseThread
from gateway.storage.sqlite.log.compression import register
from gateway.storage.sqlite.moving.log_rows import LogRows
from gateway.storage.sqlite.moving.table_rows import TableRows
from gateway.storage.sqlite.read.log import SqliteLogReader
from gateway.storage.sqlite.tables import upgrade
from gateway.storage.sqlite.unfinished_move import PROGRESS
from gateway.storage.sqlite.upkeep.free_space import INCREMENTAL

Result = TypeVar("Result")
PRAGMAS = (
    INCREMENTAL,
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA cache_size = -65536",
    "PRAGMA wal_autocheckpoint = 8000",
    "PRAGMA secure_delete = ON",
)
HOLDS = (
    "SELECT EXISTS (SELECT 1 FROM log) OR EXISTS (SELECT 1 FROM receipts) OR EXISTS (SELECT 1 FROM counters) "
    "OR EXISTS (SELECT 1 FROM quarantined_requests) OR EXISTS (SELECT 1 FROM seen_current)"
)
SAVE = "INSERT OR REPLACE INTO meta VALUES ('move', ?)"


class SqliteTarget:
    """See MoveTarget."""

    def __init__(
        self, directory: DataDir, thread: DatabaseThread, reader: LogReader, opened: tuple[LogRows, TableRows]
    ):
        self.name = f"sqlite:{directory.path}"
        self.reader = reader
        self._directory = directory
        self._thread = thread
        self._log, self._tables = opened

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(cls, directory: DataDir) -> AsyncIterator["SqliteTarget"]:
        """Lock the directory, which is made if it is missing, and open its files. Raises DataDirError."""
        directory = make(directory.path)
        with directory.lock():
            directory.events.touch(mode=0o600)
            thread = await DatabaseThread.open(sqlite_file.uri(directory.events, "rw"), yields=False)
            try:
                opened = await thread.run(partial(_prepare, directory=directory))
                reader = await SqliteLogReader.open(directory)
                try:
                    yield cls(directory, thread, reader, opened)
                finally:
                    await reader.close()
            except sqlite3.Error as error:
                raise DataDirError(f"cannot write {directory.events}: {error}") from error
            finally:
                await thread.close()

    async def begin(self, progress: Mapping[str, Any]) -> dict[str, Any]:
        """See MoveTarget."""
        found = await self._run(lambda file: file.execute(PROGRESS).fetchone())
        if found is not None:
            return dict(json.loads(found[0]))
        [(holds_events,)] = await self._run(lambda file: file.execute(HOLDS).fetchall())
        if holds_events or self._directory.keys.exists() or self._directory.rejected.exists():
            raise DataDirError(
                f"{self._directory.path} is not empty: only a new directory is filled from another store or a backup"
            )
        await self.save(progress)
        return dict(progress)

    async def save(self, progress: Mapping[str, Any]) -> None:
        """See MoveTarget."""
        await self._run(lambda file: file.execute(SAVE, (json.dumps(progress),)))

    async def append(self, batch: LogBatch, progress: Mapping[str, Any]) -> None:
        """See MoveTarget."""
        await self._run(partial(self._append, batch=batch, progress=json.dumps(progress)))

    def _append(self, file: sqlite3.Connection, batch: LogBatch, progress: str) -> None:
        with sqlite_file.transaction(file):
            self._log.write(file, batch)
            file.execute(SAVE, (progress,))

    async def keep_blob(self, project: str, name: str, content: bytes) -> None:
        """See MoveTarget."""
        try:
            await asyncio.to_thread(Blobs(self._directory.blobs).keep, Blob(name, content))
        except OSError as error:
            raise DataDirError(f"cannot write {self._directory.blobs}: {error.strerror}") from error

    async def clear(self, table: str) -> None:
        """See MoveTarget."""
        await self._run(lambda _: self._tables.clear(table))

    async def add(self, table: str, rows: Sequence[Row]) -> None:
        """See MoveTarget."""
        await self._run(lambda _: self._tables.add(table, rows))

    async def complete(self) -> None:
        """See MoveTarget."""
        await self._run(lambda _: self._tables.complete())

    async def count(self, table: str) -> int:
        """See MoveTarget."""
        return await self._run(lambda _: self._tables.count(table))

    async def _run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            return await self._thread.run(work)
        except (sqlite3.Error, OSError) as error:
            raise DataDirError(f"cannot write {self._directory.path}: {error}") from error


def _prepare(file: sqlite3.Connection, directory: DataDir) -> tuple[LogRows, TableRows]:
    for pragma in PRAGMAS:
        file.execute(pragma).fetchall()
    register(file)
    upgrade(file, directory.events)
    sync_folder(directory.path)
    log = LogRows.load(file)
    return log, TableRows(directory, file, log.seen)
