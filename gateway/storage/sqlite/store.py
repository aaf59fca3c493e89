"""The Store of a data directory, `sqlite:DIR`. Wiring only."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

from gateway.datadir import DataDir, DataDirError, existing, find
from gateway.dialect.outcome import StorageUnavailable
from gateway.keys.admin import Admin
from gateway.keys.keyring import Keyring
from gateway.keys.store import KeyStore
from gateway.records.use_log import UseLog
from gateway.storage.contract import Broken, SubmittingStorage
from gateway.storage.erasing.eraser import Eraser
from gateway.storage.erasing.step import ErasingStorage, ErasureStep, StepResult
from gateway.storage.group_commit import GroupCommit, OnCommit
from gateway.storage.info import DiskUse, StoreInfo
from gateway.storage.moving import MoveSource, MoveTarget
from gateway.storage.read import LogReader
from gateway.storage.records import Records
from gateway.storage.rejected_log import RejectedRequestLog
from gateway.storage.sqlite import rejected_file
from gateway.storage.sqlite.credential_uses import use_log
from gateway.storage.sqlite.engine import SqliteEngine
from gateway.storage.sqlite.erasing.eraser import SqliteEraser
from gateway.storage.sqlite.info import disk_use, info
from gateway.storage.sqlite.keys import backups
from gateway.storage.sqlite.keys.key_file import KeyFile
from gateway.storage.sqlite.keys.store import SqliteKeyStore
from gateway.storage.sqlite.keys.watch import watch
from gateway.storage.sqlite.log_settings import LogSettings
from gateway.storage.sqlite.moving.source import SqliteSource
from gateway.storage.sqlite.moving.target import SqliteTarget
from gateway.storage.sqlite.read.log import SqliteLogReader
from gateway.storage.sqlite.read.records import SqliteRecords
from gateway.storage.sqlite.upkeep.compact import compact
from gateway.storage.store import Backup, StoreSettings
from gateway.store_error import StoreError

SCHEME = "sqlite:"
CHECK_SECONDS = 0.4
"""How often the files are compared with those that were opened."""


class SqliteStorage(GroupCommit):
    """Group commit over the SQLite engine, which also takes the steps of an erasure."""

    def __init__(self, engine: SqliteEngine, *, queue_bytes: int, on_commit: OnCommit) -> None:
        super().__init__(engine, queue_bytes=queue_bytes, on_commit=on_commit)
        self._sqlite = engine

    async def erase(self, step: ErasureStep) -> StepResult:
        """See ErasingStorage."""
        try:
            return await self.between(partial(self._sqlite.erase, step))
        except Broken as error:
            self.fail(error)
            raise


class SqliteStore:
    """The store in a data directory. See Store."""

    def __init__(self, directory: DataDir) -> None:
        self.directory = directory
        self._engine: SqliteEngine | None = None

    @property
    def engine(self) -> str:
        """See Store."""
        return f"SQLite {sqlite3.sqlite_version}"

    @property
    def name(self) -> str:
        """See Store."""
        return str(self.directory.path)

    async def prepare(self) -> None:
        """See Store."""
        try:
            rejected_file.upgrade(self.directory)
        except sqlite3.Error as error:
            raise DataDirError(f"cannot upgrade {self.directory.rejected}: {error}") from error
        with KeyFile.open(self.directory.keys, make=True) as keys:
            keys.upgrade()

    @contextlib.asynccontextmanager
    async def storage(self, settings: StoreSettings) -> AsyncIterator[SubmittingStorage]:
        """See Store. The caller holds the directory's lock."""
        engine = await SqliteEngine.open(self.directory, _log_settings(settings))
        self._engine = engine
        storage = SqliteStorage(engine, queue_bytes=settings.queue_bytes, on_commit=settings.on_commit)
        watching = asyncio.create_task(_watch_files(engine, storage))
        try:
            yield storage
        finally:
            self._engine = None
            watching.cancel()
            await storage.close()

    async def renew(self, settings: StoreSettings) -> None:
        """See Store."""
        if self._engine is not None:
            await self._engine.renew(_log_settings(settings))

    def rejected_log(self, settings: StoreSettings) -> RejectedRequestLog:
        """See Store."""
        return rejected_file.rejected_log(self.directory.rejected, settings.rejected_bytes, settings.rejected_window)

    def use_log(self) -> UseLog:
        """See Store."""
        return use_log(self.directory.rejected)

    @contextlib.asynccontextmanager
    async def log(self) -> AsyncIterator[LogReader]:
        """See Store."""
        reader = await SqliteLogReader.open(find(self.directory.path))
        try:
            yield reader
        finally:
            await reader.close()

    @contextlib.asynccontextmanager
    async def records(self) -> AsyncIterator[Records]:
        """See Store."""
        records = await SqliteRecords.open(find(self.directory.path))
        try:
            yield records
        finally:
            await records.close()

    def keys(self, *, make: bool = False) -> AbstractAsyncContextManager[KeyStore]:
        """See Store."""
        return SqliteKeyStore.opened(existing(self.directory.path).keys, make=make)

    async def watch_keys(self, on_change: Callable[[Keyring, Admin], None]) -> None:
        """See Store."""
        await watch(self.directory.keys, on_change)

    async def info(self) -> StoreInfo:
        """See Store."""
        return await info(self.directory)

    async def disk_use(self) -> DiskUse:
        """See Store."""
        return await asyncio.to_thread(disk_use, self.directory)

    def eraser(self, writer: ErasingStorage | None = None) -> AbstractAsyncContextManager[Eraser]:
        """See Store."""
        return SqliteEraser.opened(self.directory, writer, is_alone=isinstance(writer, SqliteStorage))

    async def compact(self) -> tuple[int, int]:
        """See Store."""
        return await asyncio.to_thread(compact, self.directory)

    def move_source(self) -> AbstractAsyncContextManager[MoveSource]:
        """See Store."""
        return SqliteSource.opened(self.directory)

    def move_target(self) -> AbstractAsyncContextManager[MoveTarget]:
        """See Store."""
        return SqliteTarget.opened(self.directory)

    async def backups(self) -> list[Backup]:
        """See Store."""
        return await asyncio.to_thread(backups.backups, self.directory.keys)

    async def add_backup(self, backup: Backup) -> None:
        """See Store."""
        await asyncio.to_thread(backups.add, existing(self.directory.path).keys, backup)

    async def remove_backup(self, backup: Backup) -> None:
        """See Store."""
        await asyncio.to_thread(backups.remove, existing(self.directory.path).keys, backup)


def open_store(url: str) -> SqliteStore:
    """Return the store of a URL such as `sqlite:data`, whose directory may be missing. Raises StoreError."""
    directory = url.removeprefix(SCHEME)
    if not directory:
        raise StoreError(f"the storage URL {url} names no directory; write {SCHEME}DIR")
    return SqliteStore(DataDir(Path(directory)))


def _log_settings(settings: StoreSettings) -> LogSettings:
    return LogSettings(
        window=settings.window,
        keep_raw=settings.keep_raw,
        keep_events_of=settings.keep_events_of,
        quarantine_bytes=settings.quarantine_bytes,
        compress=settings.compress,
    )


async def _watch_files(engine: SqliteEngine, storage: GroupCommit) -> None:
    """Let the storage say that it is not well soon after its files were removed or replaced, without any request."""
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        if storage.healthy:  # else it is tried again, which checks them too
            try:
                await asyncio.to_thread(engine.check)  # a filesystem that hangs must not stop the loop
            except StorageUnavailable as error:
                storage.fail(error)
