"""Opening the store of a data directory whose lock is held: the same in one process and in the writer's."""

import contextlib
from collections.abc import AsyncIterator

from gateway.config import Config
from gateway.datadir import DataDir
from gateway.storage.contract import SubmittingStorage
from gateway.storage.group_commit import GroupCommit
from gateway.storage.sqlite.engine import SqliteEngine
from gateway.storage.sqlite.log_writer import LogSettings
from gateway.workers.control import listening


@contextlib.asynccontextmanager
async def opened(config: Config, directory: DataDir) -> AsyncIterator[SubmittingStorage]:
    """Keep the log open, for requests and for commands; what was accepted is committed at the end."""
    settings = LogSettings(window=config.dedupe_window, keep_raw=config.keep_raw, keep_events=config.keep_events)
    engine = await SqliteEngine.open(directory, settings)
    storage = GroupCommit(engine, queue_bytes=config.queue_bytes)
    try:
        async with listening(directory, storage):
            yield storage
    finally:
        await storage.close()
