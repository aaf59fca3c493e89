"""Where a command's changes go: straight into the log, or through the server that runs on the directory.

Reading needs no server: here is also the one place of the command line that knows which engine's reader it is.
"""

import contextlib
from collections.abc import AsyncIterator
from typing import Protocol

import click

from gateway.config import Config
from gateway.datadir import DataDir, DataDirError
from gateway.dialect.outcome import StorageUnavailable
from gateway.storage.contract import Appended, Entry
from gateway.storage.group_commit import GroupCommit
from gateway.storage.read import LogReader
from gateway.storage.sqlite.engine import SqliteEngine
from gateway.storage.sqlite.log_writer import LogSettings
from gateway.storage.sqlite.read.log import SqliteLogReader
from gateway.workers.ipc_client import RemoteStorage

FOREVER = 100 * 365 * 86_400.0
"""For how many seconds a command keeps ids and requests: only the server knows the configured times for sure."""


class LogAccess(Protocol):
    """As much of a Storage as commands need."""

    async def append(self, entry: Entry) -> Appended:
        """Return once the entry is on disk. Raises StorageUnavailable."""
        ...


async def keep(store: LogAccess, entry: Entry) -> Appended:
    """Append an entry. Raises ClickException when it cannot be kept, in one line."""
    try:
        return await store.append(entry)
    except (StorageUnavailable, RuntimeError) as problem:
        raise click.ClickException(str(problem)) from None


@contextlib.asynccontextmanager
async def open_log(directory: DataDir, config: Config) -> AsyncIterator[LogAccess]:
    """Open the log, or connect to the server that has it open.

    Raises DataDirError when another command holds the directory, and ClickException when the server is another version
    or does not answer.
    """
    storage: GroupCommit | RemoteStorage
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(directory.lock())
        except DataDirError as locked:
            storage = await _connect(directory, config, locked)
        else:
            engine = await SqliteEngine.open(directory, LogSettings(window=FOREVER, keep_raw=FOREVER))
            storage = GroupCommit(engine, queue_bytes=config.storage.queue_bytes)
        try:
            yield storage
        finally:
            await storage.close()


@contextlib.asynccontextmanager
async def log_reader(directory: DataDir) -> AsyncIterator[LogReader]:
    """Open a reader of the log, beside a server or without one. Raises DataDirError."""
    reader = await SqliteLogReader.open(directory)
    try:
        yield reader
    finally:
        await reader.close()


async def _connect(directory: DataDir, config: Config, locked: DataDirError) -> RemoteStorage:
    """Return the log of the server that holds the lock. Raises `locked` when whoever holds it does not listen."""
    try:
        return await RemoteStorage.connect(directory.path, queue_bytes=config.storage.queue_bytes)
    except OSError:
        raise locked from None  # another command, or a server that just starts or ends
    except StorageUnavailable as problem:
        raise click.ClickException(str(problem)) from None
