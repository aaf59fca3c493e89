"""What is known of a data directory from outside: its files, and whether a gateway runs on it."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from gateway.datadir import DataDir, DataDirError, LockedDataDir, find
from gateway.storage.info import DiskUse, RunningGateway, StoreInfo
from gateway.storage.sqlite.read.log import open_log
from gateway.storage.sqlite.upkeep.free_space import FreeSpace

PARTS = ("log", "wal", "rejected", "keys", "blobs", "other")
"""What a directory's bytes are of. `log` is events.db: events and all that is committed with them."""
MOST_FILES = 20_000
"""Files whose sizes `disk_use` adds up; each takes some microseconds. Only files that came with events are so many."""


async def info(directory: DataDir) -> StoreInfo:
    """Return what is known of a data directory. Raises DataDirError if it has no log."""
    thread, version = await open_log(find(directory.path))
    try:
        free = (await thread.run(FreeSpace.of)).free_bytes
    except sqlite3.Error as error:
        raise DataDirError(f"cannot read {directory.events}: {error}") from error
    finally:
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
    return StoreInfo(
        engine="SQLite", schema=version, bytes=sum(sizes.values()), parts=sizes, running=running, free=free
    )


def disk_use(directory: DataDir, most: int = MOST_FILES) -> DiskUse:
    """Return the bytes of a data directory's files, of so many at most, and what is free beside them.

    Raises DataDirError.
    """
    parts = dict.fromkeys(PARTS, 0)
    seen = 0
    try:
        free = shutil.disk_usage(directory.path).free
        for name, size in islice(_sizes(directory.path), most + 1):
            seen += 1
            if seen <= most:
                parts[_part(directory, name)] += size
    except OSError as error:
        raise DataDirError(f"cannot read {directory.path}: {error.strerror}") from error
    return DiskUse(bytes=sum(parts.values()), free=free, is_whole=seen <= most, parts=parts)


def _part(directory: DataDir, name: str) -> str:
    """Return what a file or folder of the directory is part of, by its name."""
    log = directory.events.name
    whole = name.removesuffix("-wal").removesuffix("-shm").removesuffix("-journal")
    if name == f"{log}-wal":
        return "wal"
    named = {
        log: "log",
        directory.rejected.name: "rejected",
        directory.keys.name: "keys",
        directory.blobs.name: "blobs",
    }
    return named.get(name if whole == log else whole, "other")


def _sizes(folder: Path, top: str = "") -> Iterator[tuple[str, int]]:
    """Yield the sizes of the files of a folder and then of those below it, each with what it is in at the top."""
    folders: list[tuple[str, str]] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append((entry.path, top or entry.name))
            elif entry.is_file(follow_symlinks=False):
                try:
                    yield top or entry.name, entry.stat(follow_symlinks=False).st_size
                except FileNotFoundError:  # a write-ahead log that went meanwhile
                    continue
    for path, name in folders:
        yield from _sizes(Path(path), name)
