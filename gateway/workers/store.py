"""Opening the store of a data directory whose lock is held: the same in one process and in the writer's."""

import contextlib
from collections.abc import AsyncIterator

from gateway.config import Config
from gateway.storage.base import Submitting
from gateway.storage.commit import GroupCommit
from gateway.storage.control import listening
from gateway.storage.datadir import DataDir
from gateway.storage.sqlite import SqliteEngine


@contextlib.asynccontextmanager
async def opened(config: Config, directory: DataDir) -> AsyncIterator[Submitting]:
    """Keep the log open, for requests and for commands; what was accepted is committed at the end."""
    engine = await SqliteEngine.open(
        directory, window=config.dedupe_window, keep_raw=config.keep_raw, keep_events=config.keep_events
    )
    storage = GroupCommit(engine, queue_bytes=config.queue_bytes)
    try:
        async with listening(directory, storage):
            yield storage
    finally:
        await storage.close()
