"""Opening a store to write: as the one that does, in one process or in the writer's; or beside one that does."""

import contextlib
import socket
from collections.abc import AsyncIterator

import attrs

from gateway.config import Config
from gateway.config.store import store_settings
from gateway.datadir import DataDir, DataDirError
from gateway.storage.contract import SubmittingStorage
from gateway.storage.group_commit import OnCommit, unobserved
from gateway.storage.store import Store, StoreSettings
from gateway.workers.ipc_client import RemoteStorage
from gateway.workers.ipc_server import IpcServer, OnImport, uncounted
from gateway.workers.ipc_socket import bound_if_possible

SHUTDOWN_GRACE = 5.0  # seconds that HTTP workers have to disconnect once the writer is to end


@contextlib.asynccontextmanager
async def opened(
    config: Config,
    store: Store,
    listener: socket.socket | None = None,
    *,
    on_commit: OnCommit = unobserved,
    on_import: OnImport = uncounted,
) -> AsyncIterator[SubmittingStorage]:
    """Keep the store open, for this process and for the clients of the socket; commit what was accepted at the end.

    The caller holds the lock of the store's directory. `listener` is the socket that the supervisor holds for the
    writer. Without one, this process serves HTTP itself, and listens for commands where the filesystem has sockets. A
    store without a directory has no socket: everybody opens it. For `on_commit` see StoreSettings, for
    `on_import` IpcServer.
    """
    async with store.storage(attrs.evolve(store_settings(config), on_commit=on_commit)) as storage:
        with contextlib.ExitStack() as stack:
            if listener is None and store.directory is not None:
                listener_or_none = stack.enter_context(bound_if_possible(store.directory.path))
                grace = 0.0
            else:
                listener_or_none, grace = listener, SHUTDOWN_GRACE
            if listener_or_none is None:
                yield storage
                return
            server = IpcServer(storage, on_import)
            await server.start(listener_or_none)
            try:
                yield storage
            finally:
                await server.stop(grace)


@contextlib.asynccontextmanager
async def joined(config: Config, store: Store) -> AsyncIterator[SubmittingStorage]:
    """Open the store for an operator's changes, or connect to the server that has it open.

    A store without a directory is always opened. Nothing is forgotten meanwhile: only the server knows the configured
    times for sure. Raises StoreError, also when another command holds the directory, and StorageUnavailable when the
    server is another version or does not answer.
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
            settings = StoreSettings(queue_bytes=config.storage.queue_bytes, quarantine_bytes=config.quarantine_bytes)
            async with store.storage(settings) as opened_store:
                yield opened_store


async def _connect(directory: DataDir, config: Config, locked: DataDirError) -> RemoteStorage:
    """Return the log of the server that holds the lock. Raises `locked` when whoever holds it does not listen."""
    try:
        return await RemoteStorage.connect(directory.path, queue_bytes=config.storage.queue_bytes)
    except OSError:
        raise locked from None  # another command, or a server that just starts or ends
