"""What is known of a data directory from outside: its files, and whether a gateway runs on it."""

import os
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from gateway.datadir import DataDir, DataDirError, LockedDataDir, find
from gateway.storage.info import DiskUse, RunningGateway, StoreInfo
from gateway.storage.sqlite.read.log import open_log

MOST_FILES = 20_000
"""Files whose sizes `disk_use` adds up; each takes some microseconds. Only files that came with events are so many."""


async def info(directory: DataDir) -> StoreInfo:
    """Return what is known of a data directory. Raises DataDirError if it has no log."""
    thread, version = await open_log(find(directory.path))
    await thread.close()
    sizes: dict[str, int] = {}
    for path in sorted(directory.path.rglob("*")):
        if path.is_file() and not path.is_symlink():
            name = path.relative_to(directory.path).parts[0]
            sizes[name] = sizes.get(name, 0) + path.stat().st_size
    running: list[RunningGateway] = []
    try:
        directory.lock().release()
    except LockedDataDir as locked:
        running.append(RunningGateway(host=f"process {locked.owner}", version=""))
    return StoreInfo(engine="SQLite", schema=version, bytes=sum(sizes.values()), parts=sizes, running=running)


def disk_use(directory: DataDir, most: int = MOST_FILES) -> DiskUse:
    """Return the bytes of a data directory's files, of so many at most, and what is free beside them.

    Raises DataDirError.
    """
    try:
        free = shutil.disk_usage(directory.path).free
        sizes = list(islice(_sizes(directory.path), most + 1))
    except OSError as error:
        raise DataDirError(f"cannot read {directory.path}: {error.strerror}") from error
    return DiskUse(bytes=sum(sizes[:most]), free=free, is_whole=len(sizes) <= most)


def _sizes(folder: Path) -> Iterator[int]:
    """Yield the sizes of the files of a folder and then of those below it."""
    folders: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            elif entry.is_file(follow_symlinks=False):
                try:
                    yield entry.stat(follow_symlinks=False).st_size
                except FileNotFoundError:  # a write-ahead log that went meanwhile
                    continue
    for each in folders:
        yield from _sizes(Path(each))
