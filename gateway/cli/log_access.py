"""Where a command's changes go: straight into the store, or through the server that runs on its directory."""

import contextlib
from collections.abc import AsyncIterator
from typing import Protocol

import click

from gateway.config import Config
from gateway.datadir import DataDir, DataDirError
from gateway.dialect.outcome import StorageUnavailable
from gateway.storage.contract import Appended, Entry
from gateway.storage.store import Store, StoreSettings
from gateway.workers.ipc_client import RemoteStorage


class LogAccess(Protocol):
    """As much of a Storage as commands need."""

    async def append(self, entry: Entry) -> Appended:
        """Return once the entry is on disk. Raises StorageUnavailable."""
        ...


async def keep(log: LogAccess, entry: Entry) -> Appended:
    """Append an entry. Raises ClickException when it cannot be kept, in one line."""
    try:
        return await log.append(entry)
    except (StorageUnavailable, RuntimeError) as problem:
        raise click.ClickException(str(problem)) from None


@contextlib.asynccontextmanager
async def open_log(store: Store, config: Config) -> AsyncIterator[LogAccess]:
    """Open the log, or connect to the server that has it open. A store without a directory is always opened.

    Nothing is forgotten meanwhile: only the server knows the configured times for sure. Raises StoreError, also when
    another command holds the directory, and ClickException when the server is another version or does not answer.
    """
    with contextlib.ExitStack() as stack:
        try:
            if store.directory is not None:
                stack.enter_context(store.directory.lock())
        except DataDirError as locked:
            assert store.directory is not None
            storage = await _connect(store.directory, config, locked)
            try:
                yield storage
            finally:
                await storage.close()
        else:
            async with store.storage(StoreSettings(queue_bytes=config.storage.queue_bytes)) as opened:
                yield opened


async def _connect(directory: DataDir, config: Config, locked: DataDirError) -> RemoteStorage:
    """Return the log of the server that holds the lock. Raises `locked` when whoever holds it does not listen."""
    try:
        return await RemoteStorage.connect(directory.path, queue_bytes=config.storage.queue_bytes)
    except OSError:
        raise locked from None  # another command, or a server that just starts or ends
    except StorageUnavailable as problem:
        raise click.ClickException(str(problem)) from None
