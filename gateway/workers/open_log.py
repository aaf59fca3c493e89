"""Opening the log of a data directory whose lock is held: the same in one process and in the writer's."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

from gateway.config import Config
from gateway.datadir import DataDir
from gateway.dialect.outcome import StorageUnavailable
from gateway.storage.contract import SubmittingStorage
from gateway.storage.group_commit import GroupCommit
from gateway.storage.sqlite.engine import SqliteEngine
from gateway.storage.sqlite.log_writer import LogSettings
from gateway.workers.ipc_server import IpcServer
from gateway.workers.ipc_socket import bound_if_possible

CHECK_SECONDS = 0.4  # how often the files are compared with those that were opened
SHUTDOWN_GRACE = 5.0  # seconds that HTTP workers have to disconnect once the writer is to end


@contextlib.asynccontextmanager
async def opened(
    config: Config, directory: DataDir, listener: socket.socket | None = None
) -> AsyncIterator[SubmittingStorage]:
    """Keep the log open, for this process and for the clients of the socket; commit what was accepted at the end.

    `listener` is the socket that the supervisor holds for the writer. Without one, this process serves HTTP itself,
    and listens for commands where the filesystem has sockets.
    """
    settings = LogSettings(
        window=config.storage.dedupe_window,
        keep_raw=config.storage.keep_raw,
        keep_events=config.storage.keep_events,
        quarantine_bytes=config.quarantine_bytes,
        compress=config.storage.compress,
    )
    engine = await SqliteEngine.open(directory, settings)
    storage = GroupCommit(engine, queue_bytes=config.storage.queue_bytes)
    watching = asyncio.create_task(_watch_files(engine, storage))
    try:
        with contextlib.ExitStack() as stack:
            socket_or_none = listener or stack.enter_context(bound_if_possible(directory.path))
            if socket_or_none is None:
                yield storage
                return
            server = IpcServer(storage)
            await server.start(socket_or_none)
            try:
                yield storage
            finally:
                await server.stop(SHUTDOWN_GRACE if listener is not None else 0.0)
    finally:
        watching.cancel()
        await storage.close()


async def _watch_files(engine: SqliteEngine, storage: GroupCommit) -> None:
    """Let the storage say that it is not well soon after its files were removed or replaced, without any request."""
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        if storage.healthy:  # else it is tried again, which checks them too
            try:
                await asyncio.to_thread(engine.check)  # a filesystem that hangs must not stop the loop
            except StorageUnavailable as error:
                storage.fail(error)
