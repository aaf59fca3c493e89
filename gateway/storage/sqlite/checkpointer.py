"""Checkpoints of events.db: copying its write-ahead log (WAL) into the file, beside the commits and never in one.

A checkpoint of 16 MiB takes as long as many commits; in a commit it is what the slowest requests wait for. So the
writer's connection never checkpoints by itself. A connection and thread of their own do, by SQLite's PASSIVE
checkpoint: it waits for nobody, and nobody waits for it.

Such passes alone never let the WAL begin again at its start, because commits go on and add to it. Once it is long, a
few passes follow each other, each shorter than the one before. A last one, for what little is left, runs on the
writer's thread between two commits: then all is copied, and the next commit writes over the WAL from its start, unless
a reader still needs it. This bounds the WAL.

A kill or a power cut at any moment of this loses nothing: the WAL is written over only once all of it is copied and the
file is synced. SQLite syncs the file with the pass that ends the WAL, and counts on that sync for what all earlier
passes copied. That would make the last pass long, and the kernel reports a failed sync only once: a second try
succeeds, without what was lost. So each pass is synced here, and after a sync that failed, all that the WAL has is
copied again.
"""

import asyncio
import logging
import os
import sqlite3
from pathlib import Path
from typing import Self

import attrs

from gateway.storage.sqlite.connection import sqlite_file
from gateway.storage.sqlite.connection.database_thread import DatabaseThread

MORE_PASSES = 4
# Sizes and places in the WAL, see https://www.sqlite.org/fileformat2.html#walformat
HEADER_BYTES = 32
PAGE_SIZE = slice(8, 12)
SALT = slice(16, 24)
FRAME_HEADER_BYTES = 24
FRAME_SALT = slice(8, 16)
log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class CheckpointPace:
    """In pages: a pass begins after each `every` that were written, and the WAL is to begin again after `restart`.

    Passes then follow each other until no more than `rest` are left for the writer's thread.
    """

    every: int = 4000
    restart: int = 16_000
    rest: int = 200


class Checkpointer:
    """Checkpoints of the file that a writer's thread has open. It is told of each commit.

    `file` is a descriptor of events.db that the caller closes after all connections: closing it before would drop the
    locks that SQLite holds for this process. `is_synced` is False once what was copied from the WAL may not be on disk,
    although SQLite counts it as copied.
    """

    def __init__(
        self,
        *,
        wal: int,
        file: int,
        thread: DatabaseThread,
        writer: DatabaseThread,
        pace: CheckpointPace,
        is_synced: bool,
    ) -> None:
        self._wal = wal
        self._file = file
        self._thread = thread
        self._writer = writer
        self._pace = pace
        self.is_synced = is_synced
        self._salt = b""
        self._due = pace.every
        self._has_failed = False
        self._to_end = False
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls, path: Path, *, file: int, writer: DatabaseThread, pace: CheckpointPace, is_synced: bool
    ) -> Self:
        """Connect to a file that the writer has open. Raises sqlite3.Error and OSError."""
        thread = await DatabaseThread.open(sqlite_file.uri(path, "rw"), yields=False)
        try:
            await thread.run(_sync_fully)
            wal = os.open(f"{path}-wal", os.O_RDONLY | os.O_CLOEXEC)
        except BaseException:
            await thread.close()
            raise
        return cls(wal=wal, file=file, thread=thread, writer=writer, pace=pace, is_synced=is_synced)

    def committed(self) -> None:
        """After a commit: begin a checkpoint if one is due and none runs. Never raises: the commit is on disk."""
        if self._task is not None:
            return
        try:
            is_due = self._is_due()
        except OSError:
            is_due = True  # the checkpoint meets the error too, and tells it
        if is_due:
            self._task = asyncio.get_running_loop().create_task(self.checkpoint())

    def shorten(self) -> None:
        """Let the file end where its pages do: SQLite cuts it at a checkpoint that leaves nothing to be copied."""
        self._to_end = True
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self.checkpoint())

    async def finish(self) -> None:
        """Wait for the checkpoint that runs, if one does."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def close(self) -> None:
        """Close the connection; no checkpoint may run. Raises sqlite3.Error."""
        os.close(self._wal)
        await self._thread.close()

    def _is_due(self) -> bool:
        header = os.pread(self._wal, HEADER_BYTES, 0)
        if header[SALT] != self._salt:
            self._salt, self._due = header[SALT], self._pace.every
        return self._has(self._due, header)

    def _has(self, frames: int, header: bytes) -> bool:
        """Return whether the WAL has so many frames, by a look at the last of them.

        The WAL gets another salt each time that it begins again; a frame with an older one is left over. So this is
        exact, whatever the size of the file and whoever wrote to it, and costs a system call or two.
        """
        frame = os.pread(self._wal, FRAME_HEADER_BYTES, _frame(frames, _page_size(header)))
        return frame != b"" and frame[FRAME_SALT] == header[SALT]

    async def checkpoint(self) -> None:
        """Copy what there is; an error is told in the log. One at a time."""
        try:
            if self.is_synced:
                frames, copied = await self._thread.run(self._pass)
            else:
                # What is copied again must not be written over: neither meanwhile, so no commit may run beside it, nor
                # before that has succeeded, so a reader stays until then.
                await self._thread.run(_begin_reading)
                frames, copied = await self._writer.run(self._pass)
                await self._thread.run(_end_reading)
            if frames >= self._pace.restart or self._to_end:
                self._to_end = False
                header = os.pread(self._wal, HEADER_BYTES, 0)
                for _ in range(MORE_PASSES):
                    if self._has(copied + self._pace.rest, header):
                        _, copied = await self._thread.run(self._pass)
                frames, _ = await self._writer.run(_copy)
        except (sqlite3.Error, OSError) as error:
            # Commits go on. Not again before more has come, so that a disk that fails is not asked all the time.
            self._due += self._pace.every
            if not self._has_failed:
                log.error("events.db-wal cannot be copied into events.db, and grows until it can: %s", error)
            self._has_failed = True
        else:
            self._due = frames + self._pace.every
            if self._has_failed:
                log.warning("events.db-wal can be copied into events.db again")
            self._has_failed = False
        finally:
            self._task = None

    def _pass(self, connection: sqlite3.Connection) -> tuple[int, int]:
        frames, copied = _copy(connection)
        was_synced, self.is_synced = self.is_synced, False
        if not was_synced:
            self._copy_again(copied)
        os.fsync(self._file)
        self.is_synced = True
        return frames, copied

    def _copy_again(self, frames: int) -> None:
        """Write the pages of the WAL's first frames to the file, as SQLite did before."""
        size = _page_size(os.pread(self._wal, HEADER_BYTES, 0))
        newest: dict[int, int] = {}
        for number in range(1, frames + 1):
            at = _frame(number, size)
            newest[int.from_bytes(os.pread(self._wal, 4, at), "big")] = at + FRAME_HEADER_BYTES
        for page, at in newest.items():
            os.pwrite(self._file, os.pread(self._wal, size, at), (page - 1) * size)


def _sync_fully(connection: sqlite3.Connection) -> None:
    # With less, SQLite would begin the WAL again without having synced the file.
    connection.execute("PRAGMA synchronous = FULL")


def _begin_reading(connection: sqlite3.Connection) -> None:
    if not connection.in_transaction:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()


def _end_reading(connection: sqlite3.Connection) -> None:
    connection.execute("ROLLBACK")


def _page_size(header: bytes) -> int:
    return int.from_bytes(header[PAGE_SIZE], "big")


def _frame(number: int, page_size: int) -> int:
    """Return where a frame of the WAL begins; they are counted from 1."""
    return HEADER_BYTES + (number - 1) * (FRAME_HEADER_BYTES + page_size)


def _copy(connection: sqlite3.Connection) -> tuple[int, int]:
    """Copy all that no reader holds back. Return how many frames the WAL has, and how many of them are copied now."""
    busy, frames, copied = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    if busy:
        raise sqlite3.OperationalError("another process runs a checkpoint")
    return frames, copied
