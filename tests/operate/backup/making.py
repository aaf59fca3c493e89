"""Making and restoring backups of stores by their URLs, without the command."""

from collections.abc import Callable
from pathlib import Path

from gateway.datadir import make
from gateway.operate.backup.create import Create
from gateway.operate.backup.reader import BackupReader
from gateway.operate.backup.restore import Restore
from gateway.operate.backup.verify import Contents
from gateway.storage.engines import open_store
from gateway.testing.engine.given.filled import NOW


async def made(url: str, file: Path, *, with_rejected: bool = True) -> Contents:
    return await Create(open_store(url), file, NOW, with_rejected).run()


async def restored(
    file: Path, url: str, count: Callable[[int, float], object] = lambda _events, _share: None
) -> Contents | None:
    with BackupReader.opened(file) as reader:
        async with open_store(url).move_target() as target:
            return await Restore(reader, target, count).run()


async def new_sqlite(folder: Path) -> str:
    """Make a data directory that is prepared; return its URL."""
    make(folder)
    await open_store(f"sqlite:{folder}").prepare()
    return f"sqlite:{folder}"
