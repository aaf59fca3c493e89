"""Opening a store as the one that writes it: the same in one process and in the writer's."""

import contextlib
import socket
from collections.abc import AsyncIterator

from gateway.config import Config
from gateway.config.store import store_settings
from gateway.storage.contract import SubmittingStorage
from gateway.storage.store import Store
from gateway.workers.ipc_server import IpcServer
from gateway.workers.ipc_socket import bound_if_possible

SHUTDOWN_GRACE = 5.0  # seconds that HTTP workers have to disconnect once the writer is to end


@contextlib.asynccontextmanager
async def opened(
    config: Config, store: Store, listener: socket.socket | None = None
) -> AsyncIterator[SubmittingStorage]:
    """Keep the store open, for this process and for the clients of the socket; commit what was accepted at the end.

    The caller holds the lock of the store's directory. `listener` is the socket that the supervisor holds for the
    writer. Without one, this process serves HTTP itself, and listens for commands where the filesystem has sockets. A
    store without a directory has no socket: everybody opens it.
    """
    async with store.storage(store_settings(config)) as storage:
        with contextlib.ExitStack() as stack:
            if listener is None and store.directory is not None:
                listener_or_none = stack.enter_context(bound_if_possible(store.directory.path))
                grace = 0.0
            else:
                listener_or_none, grace = listener, SHUTDOWN_GRACE
            if listener_or_none is None:
                yield storage
                return
            server = IpcServer(storage)
            await server.start(listener_or_none)
            try:
                yield storage
            finally:
                await server.stop(grace)
