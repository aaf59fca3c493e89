"""What is known of a data directory from outside: its files, and whether a gateway runs on it."""

from gateway.datadir import DataDir, LockedDataDir, find
from gateway.storage.info import RunningGateway, StoreInfo
from gateway.storage.sqlite.read.log import open_log


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
