"""Where a command's changes go: straight into the store, or through the server that runs on the directory."""

import contextlib
from collections.abc import AsyncIterator
from typing import Protocol

import click

from gateway.config import Config
from gateway.datadir import DataDir, DataDirError
from gateway.dialect.outcome import StorageUnavailable
from gateway.storage.contract import Appended, Entry
from gateway.storage.group_commit import GroupCommit
from gateway.storage.sqlite.engine import SqliteEngine
from gateway.storage.sqlite.log_writer import LogSettings
from gateway.workers.control import Control

FOREVER = 100 * 365 * 86_400.0
"""Seconds for which a command has all be remembered: to forget is the server's, which knows its settings for sure."""


class LogAccess(Protocol):
    """As much of a Storage as commands need."""

    async def append(self, entry: Entry) -> Appended:
        """Return once the entry is on disk. Raises StorageUnavailable."""
        ...

    async def close(self) -> None:
        """Let go."""
        ...


async def keep(store: LogAccess, entry: Entry) -> Appended:
    """Append an entry. Raises ClickException where it cannot be kept now."""
    try:
        return await store.append(entry)
    except StorageUnavailable as problem:
        raise click.ClickException(str(problem)) from None


@contextlib.asynccontextmanager
async def desk(directory: DataDir, config: Config) -> AsyncIterator[LogAccess]:
    """Open the way to the store. Raises DataDirError where another command holds the directory."""
    try:
        lock = directory.lock()
    except DataDirError as locked:
        try:
            control = await Control.open(directory)
        except OSError:
            raise locked from None  # whoever holds it is no server, or just starts or ends
        try:
            yield control
        finally:
            await control.close()
        return
    with lock:
        engine = await SqliteEngine.open(directory, LogSettings(window=FOREVER, keep_raw=FOREVER))
        storage = GroupCommit(engine, queue_bytes=config.queue_bytes)
        try:
            yield storage
        finally:
            await storage.close()
