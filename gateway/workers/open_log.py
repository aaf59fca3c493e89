"""Opening the log of a data directory whose lock is held: the same in one process and in the writer's."""

import contextlib
import socket
from collections.abc import AsyncIterator

from gateway.config import Config
from gateway.datadir import DataDir
from gateway.storage.contract import SubmittingStorage
from gateway.storage.group_commit import GroupCommit
from gateway.storage.sqlite.engine import SqliteEngine
from gateway.storage.sqlite.log_writer import LogSettings
from gateway.workers.ipc_server import IpcServer
from gateway.workers.ipc_socket import bound_if_possible

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
    )
    engine = await SqliteEngine.open(directory, settings)
    storage = GroupCommit(engine, queue_bytes=config.storage.queue_bytes)
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
        await storage.close()
