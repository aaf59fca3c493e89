"""A file that appears under its name whole or not at all, however large it is and whenever its writer is killed."""

import contextlib
import fcntl
import os
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from gateway.datadir import sync_folder
from gateway.operate.backup.members import BackupError

PART = ".part"
SYNC_EVERY = 16 << 20
"""Bytes after which what was written goes to the disk: all at once, at the end, would hold up the server's commits."""


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[Callable[[bytes], object]]:
    """Yield what writes to a file that gets its name, which must be free, at the end of the block.

    Until then it is FILE.part. Where the block fails nothing stays; what a kill leaves is removed by the next one that
    writes to the same name. Raises BackupError and OSError.
    """
    if os.path.lexists(path):
        raise BackupError(f"{path} exists, and a backup never replaces a file; choose another name")
    if not path.parent.is_dir():
        raise BackupError(f"there is no directory {path.parent} to write {path.name} into")
    part = path.with_name(path.name + PART)
    try:
        descriptor = _opened(part)
        written = _Written(descriptor)
        try:
            yield written.write
            os.fsync(descriptor)
            if os.path.lexists(path):
                raise BackupError(f"{path} was made meanwhile, and a backup never replaces a file; choose another name")
            os.rename(part, path)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink()
            raise
        finally:
            written.close()
        sync_folder(path.parent)
    except OSError as error:  # by the name that the operator gave
        raise OSError(error.errno, error.strerror, str(path)) from error


class _Written:
    """A descriptor that is written by one thread and closed by another, which may not wait for the first."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor
        self._synced, self._size = 0, 0
        self._turn = threading.Lock()

    def write(self, data: bytes) -> None:
        with self._turn:
            if self._descriptor is None:  # its number may be another file's by now
                raise BackupError("the backup was broken off")
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            self._size += len(data)
            if self._size - self._synced >= SYNC_EVERY:
                os.fdatasync(self._descriptor)
                # The backup is not read soon; the memory is better used by the server's files.
                os.posix_fadvise(self._descriptor, 0, self._size, os.POSIX_FADV_DONTNEED)
                self._synced = self._size

    def close(self) -> None:
        with self._turn:
            descriptor, self._descriptor = self._descriptor, None
            if descriptor is not None:
                os.close(descriptor)


def _opened(part: Path) -> int:
    """Return a new file, locked as long as its writer lives, after what a writer that was killed has left is gone."""
    with contextlib.suppress(FileNotFoundError):
        _remove(part)
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise _busy(part) from None
    if not _is_locked_by(descriptor, part):
        os.close(descriptor)
        raise _busy(part)
    return descriptor


def _remove(part: Path) -> None:
    try:
        descriptor = os.open(part, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError:
        raise BackupError(f"{part} is in the way; remove it") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise BackupError(f"{part} is in the way; remove it")
        if not _is_locked_by(descriptor, part):
            raise _busy(part)
        part.unlink()  # whoever has the lock on what has the name is the only one to remove it
    finally:
        os.close(descriptor)


def _is_locked_by(descriptor: int, part: Path) -> bool:
    """Take the lock on an open file; return whether it was free and the file still has its name."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        there, here = os.stat(part, follow_symlinks=False), os.fstat(descriptor)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


def _busy(part: Path) -> BackupError:
    return BackupError(f"another backup is being written to {part}")
