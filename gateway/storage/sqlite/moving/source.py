"""A data directory as the source of a move: read-only, beside the server that may run on it."""

import asyncio
import contextlib
import hashlib
import sqlite3
import zlib
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from gateway.datadir import DataDir, DataDirError, LockedDataDir, find
from gateway.storage.moving import Cursor, LogBatch, Row
from gateway.storage.read import LogReader
from gateway.storage.sqlite import rejected_file
from gateway.storage.sqlite.blobs import Blobs
from gateway.storage.sqlite.connection import sqlite_file
from gateway.storage.sqlite.connection.database_thread import DatabaseThread
from gateway.storage.sqlite.moving.batches import next_batch
from gateway.storage.sqlite.moving.rows import pages
from gateway.storage.sqlite.read.log import SqliteLogReader, open_log
from gateway.storage.sqlite.tables import VERSION
from gateway.storage.sqlite.unfinished_move import check_finished

Result = TypeVar("Result")
END = "SELECT (SELECT coalesce(max(last), 0) FROM log), (SELECT coalesce(max(id), 0) FROM receipts)"
MARK = (
    "SELECT (SELECT value FROM meta WHERE name = 'watermark'), (SELECT coalesce(max(id), 0) FROM receipts), "
    "(SELECT coalesce(max(last), 0) FROM log)"
)
SALT = "SELECT value FROM meta WHERE name = 'salt'"
LOCK_PAUSE = 0.1
"""Seconds between two looks whether the server has stopped."""


class SqliteSource:
    """See MoveSource. A cursor is `[position, number of a receipt]`."""

    def __init__(self, directory: DataDir, thread: DatabaseThread, reader: LogReader) -> None:
        self.name = f"sqlite:{directory.path}"
        self.reader = reader
        self._directory = directory
        self._thread = thread

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(cls, directory: DataDir) -> AsyncIterator["SqliteSource"]:
        """Open the files. Raises DataDirError if there is no log, one of an older gateway, or half of one."""
        thread, version = await open_log(find(directory.path))
        try:
            if version < VERSION:
                raise DataDirError(f"{directory.events} was written by an older gateway; `gateway serve` upgrades it")
            await thread.run(partial(check_finished, path=directory.events))
            reader = await SqliteLogReader.open(directory)
            try:
                yield cls(directory, thread, reader)
            finally:
                await reader.close()
        finally:
            await thread.close()

    async def identity(self) -> str:
        """See MoveSource."""
        [(salt,)] = await self._run(lambda file: file.execute(SALT).fetchall())
        return hashlib.sha256(f"sqlite {salt}".encode()).hexdigest()[:32]

    async def end(self) -> Cursor:
        """See MoveSource."""
        return list(await self._run(lambda file: file.execute(END).fetchone()))

    async def mark(self) -> Cursor:
        """See MoveSource. It is `[watermark, last receipt]`: see dedupe/known_keys.py for the watermark."""
        watermark, receipt, _ = await self._run(lambda file: file.execute(MARK).fetchone())
        return [watermark, receipt]

    async def log(self, after: Cursor, until: Cursor, mark: Cursor) -> AsyncIterator[LogBatch]:
        """See MoveSource."""
        read = self._run(partial(next_batch, after=after, until=until, watermark=mark[0]))
        task = asyncio.ensure_future(read)
        try:
            # The next batch is read while the target writes this one.
            while (batch := await task) is not None:
                task = asyncio.ensure_future(
                    self._run(partial(next_batch, after=batch.cursor, until=until, watermark=mark[0]))
                )
                yield batch
        finally:
            task.cancel()

    async def rows(self, table: str, since: Cursor | None = None) -> AsyncIterator[list[Row]]:
        """See MoveSource."""
        found = await self._run(partial(pages, directory=self._directory, table=table, since=since))
        while (page := await self._run(lambda _: next(found, None))) is not None:
            if page:
                yield page

    async def damage(self) -> AsyncIterator[str]:
        """See MoveSource. Table by table, so that no snapshot lasts long."""
        for path in (self._directory.events, self._directory.keys, self._directory.rejected):
            for line in await self._run(partial(damage, path=path)) if path.exists() else ():
                yield line

    async def blob(self, project: str, name: str) -> bytes | None:
        """See MoveSource."""
        path = Blobs(self._directory.blobs).path(name)
        try:
            return await asyncio.to_thread(path.read_bytes)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DataDirError(f"cannot read {path}: {error.strerror}") from error

    @contextlib.asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Cursor]:
        """See MoveSource."""
        await self._run(lambda file: file.execute("BEGIN"))
        try:
            yield await self.end()  # the first look at the file is what fixes the moment
        finally:
            await self._run(lambda file: file.execute("ROLLBACK"))

    async def is_served(self) -> bool:
        """See MoveSource."""
        try:
            self._directory.lock().release()
        except LockedDataDir:
            return True
        return False

    @contextlib.asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """See MoveSource."""
        while True:
            try:
                lock = self._directory.lock()
                break
            except LockedDataDir:
                await asyncio.sleep(LOCK_PAUSE)
        with lock:
            await asyncio.to_thread(rejected_file.upgrade, self._directory)
            yield

    async def _run(self, question: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            return await self._thread.run(question)
        except (sqlite3.Error, ValueError, zlib.error) as error:  # the last two: of a damaged value
            raise DataDirError(f"cannot read {self._directory.path}: {error}") from error


def damage(_: sqlite3.Connection, path: Path) -> list[str]:
    """Return what SQLite finds wrong with a file."""
    found: list[str] = []
    try:
        with sqlite_file.connected(path, "ro") as file:
            tables = [
                name for (name,) in file.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
            ]
            for table in tables:
                quoted = table.replace('"', '""')
                found += [text for (text,) in file.execute(f'PRAGMA quick_check("{quoted}")') if text != "ok"]
    except sqlite3.Error as error:
        found.append(str(error))
    return [f"{path.name}: {text}" for text in found]
