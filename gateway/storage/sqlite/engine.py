"""The SQLite engine: a Ledger on a thread of its own, and what SQLite's errors mean. No SQL here."""

import contextlib
import errno
import sqlite3
import time
from collections.abc import Callable, Sequence

from gateway import sqlite_file
from gateway.datadir import DataDir, DataDirError
from gateway.dialect.outcome import StorageUnavailable
from gateway.storage.contract import Appended, Broken, Entry
from gateway.storage.sqlite.database_thread import DatabaseThread
from gateway.storage.sqlite.log_writer import LogWriter

WEEK = 7 * 86_400.0
# Rolled back and whole: the next commit may do better.
PASSING = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM}
BREAKING = {
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
}
# A position or a claim that is taken: somebody else wrote to the file, so that memory no longer tells what is there.
STALE = {sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID}


class SqliteEngine:
    """The writer of a data directory whose lock the caller holds."""

    def __init__(
        self,
        directory: DataDir,
        thread: DatabaseThread,
        ledger: LogWriter,
        load: Callable[[sqlite3.Connection], LogWriter],
    ) -> None:
        self._directory = directory
        self._thread = thread
        self._log_writer = ledger
        self._load = load

    @classmethod
    async def open(
        cls,
        directory: DataDir,
        *,
        window: float = WEEK,
        clock: Callable[[], float] = time.monotonic,
        bound: int = 200_000,
        keep_raw: float = 0.0,
        keep_events: float = 0.0,
    ) -> "SqliteEngine":
        """Open events.db, made or upgraded where needed. Raises DataDirError on a file that cannot be used.

        Keys and claims are remembered for `window` seconds at least; `bound` is the number of keys kept in memory;
        packed requests are kept for `keep_raw` seconds, events for `keep_events`, or for ever.
        """

        def load(connection: sqlite3.Connection) -> LogWriter:
            return LogWriter.load(connection, directory, window, clock, bound, keep_raw, keep_events)

        try:
            # Made here alone: a file that is gone at a reopen must not come back empty. SQLite's log takes its mode.
            directory.events.touch(mode=0o600)
            thread, ledger = await _open(directory, load)
        except (sqlite3.Error, OSError) as error:
            raise DataDirError(f"cannot open {directory.events}: {error}") from error
        return cls(directory, thread, ledger, load)

    async def commit(self, entries: Sequence[Entry]) -> list[Appended]:
        """See Engine."""
        try:
            return await self._thread.run(lambda _: self._log_writer.commit(entries))
        except (sqlite3.Error, OSError) as error:
            raise meaning(error) from error

    async def reopen(self) -> None:
        """See Engine.

        The new connection comes before the old one goes: the last one to close would checkpoint, and so fsync again
        what could not be fsynced, which the kernel then calls done. With the other still open, the half-written end of
        the log stays outside, and is written over.
        """
        before = self._thread
        try:
            self._thread, self._log_writer = await _open(self._directory, self._load)
        except (sqlite3.Error, OSError, DataDirError) as error:
            raise Broken(f"cannot reopen {self._directory.events}: {error}") from error
        with contextlib.suppress(sqlite3.Error):
            await before.close()

    async def visit(self, job: Callable[[sqlite3.Connection], object]) -> object:
        """Return what the job says that runs on the writer's connection between two commits."""
        return await self._thread.run(job)

    async def close(self) -> None:
        """See Engine. Errors are left alone: all that was acknowledged is on disk before this."""
        with contextlib.suppress(OSError):
            await self._thread.run(lambda _: self._log_writer.close(self._directory))
        with contextlib.suppress(sqlite3.Error):
            await self._thread.close()


async def _open(
    directory: DataDir, load: Callable[[sqlite3.Connection], LogWriter]
) -> tuple[DatabaseThread, LogWriter]:
    thread = await DatabaseThread.open(sqlite_file.uri(directory.events, "rw"))
    try:
        return thread, await thread.run(load)
    except BaseException:
        await thread.close()
        raise


def meaning(error: sqlite3.Error | OSError) -> Exception:
    """Return what the error means to group commit; the error itself where an entry is at fault."""
    if isinstance(error, OSError):
        if error.errno == errno.EIO:
            return Broken(f"the disk failed: {error}")
        return StorageUnavailable(f"a file cannot be written: {error}")
    code = getattr(error, "sqlite_errorcode", 0)
    if code & 0xFF in BREAKING or code in STALE:
        return Broken(f"the database failed: {error}")
    if code & 0xFF in PASSING:
        return StorageUnavailable(f"the database cannot be written: {error}")
    return error
