"""The data directory: the paths in it, creating it, and the lock that its one server holds. No SQL here."""

import contextlib
import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import attrs

from gateway.store_error import EmptyStore, StoreError

HELD = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES}
"""What flock fails with when somebody else has the lock."""
NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


class DataDirError(StoreError):
    """A data directory, or a file in it, that cannot be used. The message is one line for the operator."""


class LockedDataDir(DataDirError):
    """A data directory on which another process runs; `owner` is its id, or `unknown`."""

    def __init__(self, message: str, owner: str) -> None:
        super().__init__(message)
        self.owner = owner


class EmptyDataDir(DataDirError, EmptyStore):
    """A data directory without a log."""


@attrs.frozen
class DataDir:
    """The directory of everything that a gateway stores."""

    path: Path

    @property
    def events(self) -> Path:
        """The log, with everything that is committed together with it."""
        return self.path / "events.db"

    @property
    def keys(self) -> Path:
        """The credentials: a file of their own, so that adding one never waits for the writer."""
        return self.path / "keys.db"

    @property
    def rejected(self) -> Path:
        """The rejected requests: a bounded file of their own, so that they take no room from events."""
        return self.path / "rejected.db"

    @property
    def blobs(self) -> Path:
        """The folder of the files that came with events."""
        return self.path / "blobs"

    def lock(self) -> "Lock":
        """Take the lock of the one server on this directory. Raises DataDirError if another process holds it."""
        return Lock.take(self.path)


@attrs.frozen
class Lock:
    """An exclusive `flock`; the kernel releases it when the process ends, even by a kill."""

    descriptor: int

    @classmethod
    def take(cls, path: Path) -> Self:
        """Lock the directory and write this process's id into the lock file, for the error message of a second server.

        Raises DataDirError.
        """
        try:
            descriptor = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DataDirError(f"cannot use {path}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in HELD:
                os.close(descriptor)
                hint = "choose a --data on a file system that has locks"
                raise DataDirError(f"cannot lock {path}/lock: {error.strerror}; {hint}") from error
            owner = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            message = f"another gateway runs on {path} (process {owner}); stop it or choose another --data"
            raise LockedDataDir(message, owner) from error
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            if error.errno not in NO_ROOM:  # the lock is held all the same; its file only helps whoever comes second
                os.close(descriptor)
                raise DataDirError(f"cannot write {path}/lock: {error.strerror}") from error
        return cls(descriptor)

    def release(self) -> None:
        """Release the lock."""
        os.close(self.descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


def make(path: Path) -> DataDir:
    """Return the data directory at the path. Creates it if missing, readable by this user only (0700).

    Raises DataDirError.
    """
    try:
        if not path.is_dir():
            path.mkdir(mode=0o700, parents=True)
            sync_folder(path.parent)
    except FileExistsError:
        return existing(path)
    except OSError as error:
        raise DataDirError(f"cannot create {path}: {error.strerror}") from error
    return DataDir(path)


def existing(path: Path) -> DataDir:
    """Return the data directory at the path, which may be empty. Creates nothing. Raises DataDirError."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        if path.is_symlink():
            raise DataDirError(f"{path} is a link to a directory that does not exist") from None
        hint = f"`gateway serve --data {path}` makes it at its first start"
        raise DataDirError(f"there is no directory {path}; {hint}") from None
    except OSError as error:
        raise DataDirError(f"cannot use {path}: {error.strerror}") from error
    if not stat.S_ISDIR(mode):
        raise DataDirError(f"{path} is not a directory")
    return DataDir(path)


def find(path: Path) -> DataDir:
    """Return the data directory at the path, for reading. Creates nothing. Raises DataDirError if it has no log yet."""
    found = existing(path)
    if not found.events.is_file():
        raise EmptyDataDir(f"{path} holds no events yet; is it the directory that `gateway serve --data` was given?")
    return found


@contextlib.contextmanager
def created_atomically(path: Path) -> Iterator[Path]:
    """Yield an empty temporary file, readable by this user only, that gets the path's name when the block ends.

    So the file appears whole or not at all. If two processes create the same file, the first one's stays. Raises
    OSError.
    """
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except OSError as error:  # under its own name, so that the same error is the same line each time
        raise OSError(error.errno, error.strerror, str(path)) from None
    try:
        yield part
        with contextlib.suppress(FileExistsError):
            os.link(part, path)
    finally:
        part.unlink()
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Fsync a folder, because a file's own fsync does not cover its name. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
