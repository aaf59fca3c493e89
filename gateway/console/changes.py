"""Changes to the log that pages make: through the server that runs on the store, or straight into it."""

import contextlib
from collections.abc import AsyncIterator

from aiohttp import web

from gateway.console.context import Console
from gateway.dialect.outcome import StorageUnavailable
from gateway.operate.held.quarantine import Append
from gateway.storage.contract import Appended, Entry
from gateway.workers.open_log import joined


@contextlib.asynccontextmanager
async def appending(console: Console) -> AsyncIterator[Append]:
    """Open the log, and yield what appends an entry. Raises StoreError, and 503 where nothing can be stored now."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            log = await stack.enter_async_context(joined(console.config, console.store))
        except StorageUnavailable as problem:
            raise _unavailable(problem) from None

        async def append(entry: Entry) -> Appended:
            try:
                return await log.append(entry)
            except (StorageUnavailable, RuntimeError) as problem:
                raise _unavailable(problem) from None

        yield append


def _unavailable(problem: Exception) -> web.HTTPServiceUnavailable:
    return web.HTTPServiceUnavailable(text=str(problem), headers={"Retry-After": "5"})
