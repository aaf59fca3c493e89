"""A store behind a socket, both ends in this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.storage.contract import Appended, AppendStatus, SubmittingStorage
from gateway.workers.ipc_client import RemoteStorage
from gateway.workers.ipc_server import IpcServer
from gateway.workers.ipc_socket import bound

NEW = Appended(AppendStatus.NEW)


@asynccontextmanager
async def remote(storage: SubmittingStorage, path: Path, queue_bytes: int = 1 << 26) -> AsyncIterator[RemoteStorage]:
    """An HTTP worker's store, its writer in this very process."""
    with bound(path) as listener:
        server = IpcServer(storage)
        await server.start(listener)
        found = RemoteStorage(path, queue_bytes=queue_bytes, retry_seconds=0.01)
        await asyncio.wait_for(found.wait_ready(), 5)
        yield found
        await found.close()
        await server.stop()


@asynccontextmanager
async def served(storage: SubmittingStorage, path: Path) -> AsyncIterator[IpcServer]:
    """A server, and no client yet."""
    with bound(path) as listener:
        server = IpcServer(storage)
        await server.start(listener)
        yield server
        await server.stop()
