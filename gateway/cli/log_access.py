"""Where a command's changes go, with errors as commands say them. gateway/workers/open_log.py opens it."""

import contextlib
from collections.abc import AsyncIterator
from typing import Protocol

import click

from gateway.config import Config
from gateway.dialect.outcome import StorageUnavailable
from gateway.storage.contract import Appended, Entry
from gateway.storage.store import Store
from gateway.workers.open_log import joined


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

    Raises StoreError, also when another command holds the directory, and ClickException when the server is another
    version or does not answer.
    """
    async with contextlib.AsyncExitStack() as stack:
        try:
            log = await stack.enter_async_context(joined(config, store))
        except StorageUnavailable as problem:
            raise click.ClickException(str(problem)) from None
        yield log
