"""The SQLite engine: a LogWriter and a Checkpointer on their threads, and what SQLite's errors mean. No SQL here."""

import asyncio
import contextlib
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from gateway.datadir import DataDir, DataDirError
from gateway.storage.contract import Appended, Broken, Entry
from gateway.storage.erasing.step import ErasureStep, StepResult
from gateway.storage.sqlite.checkpointer import Checkpointer, CheckpointPace
from gateway.storage.sqlite.connection import sqlite_file
from gateway.storage.sqlite.connection.database_thread import DatabaseThread
from gateway.storage.sqlite.connection.errors import classify
from gateway.storage.sqlite.connection.opened_files import OpenedFiles
from gateway.storage.sqlite.log_settings import LogSettings
from gateway.storage.sqlite.log_writer import LogWriter
from gateway.storage.sqlite.tidying import tidy
from gateway.storage.sqlite.upkeep.housekeeping import Housekeeping

Result = TypeVar("Result")
SAVE_PAUSE = 0.01  # seconds after each piece of the filters' file: commits that wait for the disk go first
log = logging.getLogger(__name__)


class SqliteEngine:
    """The writer of a data directory whose lock the caller holds."""

    def __init__(
        self,
        directory: DataDir,
        settings: LogSettings,
        pace: CheckpointPace,
        file: int,
        opened: tuple[DatabaseThread, LogWriter, Checkpointer],
    ) -> None:
        self._directory = directory
        self._settings = settings
        self._pace = pace
        self._file = file
        self._thread, self._log_writer, self._checkpointer = opened
        self._files = OpenedFiles.of(directory.events.absolute())
        self._closing = threading.Event()
        self._save: asyncio.Task[None] | None = None
        self._broken: Broken | None = None
        self._housekeeping = Housekeeping(self._tidy, every=settings.tidy_every)

    @classmethod
    async def open(
        cls, directory: DataDir, settings: LogSettings | None = None, *, pace: CheckpointPace | None = None
    ) -> "SqliteEngine":
        """Open events.db; create or upgrade it if needed. Raises DataDirError on a file that cannot be used."""
        settings, pace = settings or LogSettings(), pace or CheckpointPace()
        try:
            # Created here only: a file that is missing at a reopen must not come back empty. The WAL gets the same
            # mode.
            directory.events.touch(mode=0o600)
            file = _descriptor(directory.events)
            was_closed = not _size(Path(f"{directory.events}-wal"))
            try:
                opened = await _open(directory, settings, pace, file, is_synced=was_closed)
            except BaseException:
                os.close(file)
                raise
        except (sqlite3.Error, OSError) as error:
            why = getattr(error, "strerror", None) or error
            raise DataDirError(f"cannot open {directory.events}: {why}") from error
        if not was_closed:
            # What a killed gateway had copied may never have been synced.
            await opened[2].checkpoint()
        engine = cls(directory, settings, pace, file, opened)
        engine._save_if_due()
        return engine

    async def commit(self, entries: Sequence[Entry]) -> list[Appended]:
        """See Engine."""
        if self._broken is not None:
            raise self._broken
        try:
            answers = await self._thread.run(lambda _: self._log_writer.commit(entries))
        except (sqlite3.Error, OSError) as error:
            raise classify(error) from error
        # Only now: what is acknowledged was in the file of that name when it was on disk. A check before the commit
        # would leave open what happens in between.
        self._files.check_file()
        self._checkpointer.committed()
        self._save_if_due()
        return answers

    def check(self) -> None:
        """Raise Broken if the files on disk are not those that are open: they were removed, replaced or unmounted."""
        self._files.check()

    async def reopen(self) -> None:
        """See Engine.

        The new connection is opened before the old one is closed. The last connection to close runs a checkpoint, and
        so repeats the fsync that failed, which the kernel then reports as done. With the new connection open there is
        no checkpoint: the half-written end of the WAL is not valid, and is overwritten.
        """
        self._files.check()  # whatever stands there now may belong to another gateway, and never is ours
        thread, checkpointer = self._thread, self._checkpointer
        await checkpointer.finish()
        try:
            opened = await _open(
                self._directory, self._settings, self._pace, self._file, is_synced=checkpointer.is_synced
            )
        except (sqlite3.Error, OSError, DataDirError) as error:
            raise Broken(f"cannot reopen {self._directory.events}: {error}") from error
        self._broken = None
        self._thread, self._log_writer, self._checkpointer = opened
        self._log_writer.renew(self._settings)  # they may be others meanwhile
        await _close(thread, checkpointer)
        self._files.check()

    async def renew(self, settings: LogSettings) -> None:
        """Follow other settings from the next commit on."""
        self._settings = settings
        await self._thread.run(lambda _: self._log_writer.renew(settings))

    async def erase(self, step: ErasureStep) -> StepResult:
        """Do one step of an erasure, between two commits. Raises StorageUnavailable."""
        if self._broken is not None:
            raise self._broken
        if step.clean:  # a pass of the checkpointer would be in its way, and one that failed to sync comes first
            await self._checkpointer.finish()
            if not self._checkpointer.is_synced:
                await self._checkpointer.checkpoint()
        try:
            result = await self._thread.run(lambda _: self._log_writer.erase(step))
        except (sqlite3.Error, OSError) as error:
            raise classify(error) from error
        self._files.check_file()
        self._checkpointer.committed()
        return result

    async def run(self, transaction: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run a transaction on the writer's connection, between two commits, and return its result."""
        result = await self._thread.run(transaction)
        self._checkpointer.committed()
        return result

    async def close(self) -> None:
        """See Engine. Errors are ignored: whatever was acknowledged is on disk already."""
        self._closing.set()  # a save goes on without pauses
        await self._housekeeping.stop()
        if self._save is not None:
            await asyncio.wait([self._save])
        with contextlib.suppress(OSError, sqlite3.Error, Broken):
            self._files.check()  # the folder may be another gateway's by now
            await self._thread.run(lambda _: self._log_writer.close())
        await self._checkpointer.finish()
        if not self._checkpointer.is_synced:
            await self._checkpointer.checkpoint()
        await _close(self._thread, self._checkpointer)
        os.close(self._file)

    async def _tidy(self) -> bool:
        """Do a piece of what is left to do beside the commits; return whether there is more. Raises sqlite3.Error."""
        log_writer, checkpointer = self._log_writer, self._checkpointer
        tidied = await self._thread.run(lambda _: tidy(log_writer))
        checkpointer.committed()
        if tidied.has_shrunk and not tidied.more:
            checkpointer.shorten()
        return tidied.more

    def _save_if_due(self) -> None:
        if self._log_writer.save_is_due and (self._save is None or self._save.done()):
            self._save = asyncio.get_running_loop().create_task(self._save_filters())

    async def _save_filters(self) -> None:
        """Save the filters beside the commits. If that fails, a start after a kill takes longer: nothing else."""
        thread, log_writer = self._thread, self._log_writer
        try:
            save = await thread.run(lambda _: log_writer.begin_save())
            await asyncio.to_thread(save.write, partial(self._closing.wait, SAVE_PAUSE))
            if thread is self._thread:  # else the log was opened anew meanwhile
                await thread.run(lambda _: log_writer.end_save(save))
        except (sqlite3.Error, OSError) as error:
            log.warning("the filters of known ids cannot be saved: %s", error)
            # A connection that failed must not be committed on again before it is opened anew.
            why = classify(error)
            if isinstance(error, sqlite3.Error) and isinstance(why, Broken) and thread is self._thread:
                self._broken = why


async def _open(
    directory: DataDir, settings: LogSettings, pace: CheckpointPace, file: int, *, is_synced: bool
) -> tuple[DatabaseThread, LogWriter, Checkpointer]:
    thread = await DatabaseThread.open(sqlite_file.uri(directory.events, "rw"))
    try:
        log_writer = await thread.run(lambda connection: LogWriter.load(connection, directory, settings))
        checkpointer = await Checkpointer.open(
            directory.events, file=file, writer=thread, pace=pace, is_synced=is_synced
        )
        return thread, log_writer, checkpointer
    except BaseException:
        await thread.close()
        raise


async def _close(thread: DatabaseThread, checkpointer: Checkpointer) -> None:
    """Close both connections. The writer's is the last one: SQLite then copies the rest of the WAL, and removes it."""
    for each in (checkpointer, thread):
        with contextlib.suppress(sqlite3.Error):
            await each.close()


def _descriptor(path: Path) -> int:
    """Open a file; SQLite is asked first, which names what is wrong with one that is no database."""
    with sqlite_file.connected(path, "rw"):
        pass
    return os.open(path, os.O_RDWR | os.O_CLOEXEC)


def _size(path: Path) -> int:
    """Return a file's size, 0 if there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
