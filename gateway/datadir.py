"""A data directory: the names of what lies in it, making it, and the lock that one server holds on it. No SQL here."""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import attrs


class DataDirError(Exception):
    """A data directory that cannot be used; the message is one line for the person who named it."""


@attrs.frozen
class DataDir:
    """The place of everything that a gateway keeps."""

    path: Path

    @property
    def events(self) -> Path:
        """Where the log lies, with all that is committed along with it."""
        return self.path / "events.db"

    @property
    def keys(self) -> Path:
        """Where the credentials lie: a file of their own, so that adding one never waits for the writer."""
        return self.path / "keys.db"

    @property
    def rejected(self) -> Path:
        """Where rejected requests lie: bounded, in a file of their own, so that they take no room from events."""
        return self.path / "rejected.db"

    @property
    def blobs(self) -> Path:
        """Where the files that came with events lie."""
        return self.path / "blobs"

    def lock(self) -> "Lock":
        """Return the lock of the one server on this directory. Raises DataDirError where another one runs."""
        return Lock.take(self.path)


@attrs.frozen
class Lock:
    """An exclusive flock: the kernel lets go of it when the process ends, however it ends."""

    descriptor: int

    @classmethod
    def take(cls, path: Path) -> Self:
        """Lock the directory for this process, whose number is left in the file for whoever comes second."""
        try:
            descriptor = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DataDirError(f"cannot use {path}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            message = f"another gateway runs on {path} (process {owner}); stop it or choose another --data"
            raise DataDirError(message) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        """Let the next server in."""
        os.close(self.descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


def make(path: Path) -> DataDir:
    """Return the data directory at the path, made for this user alone (0700) where there is none."""
    try:
        if not path.is_dir():
            path.mkdir(mode=0o700, parents=True)
            sync_folder(path.parent)
    except FileExistsError as error:
        raise DataDirError(f"{path} is not a directory") from error
    except OSError as error:
        raise DataDirError(f"cannot make {path}: {error.strerror}") from error
    return DataDir(path)


def find(path: Path) -> DataDir:
    """Return the data directory at the path for reading; nothing is made. Raises DataDirError where no log is yet."""
    found = DataDir(path)
    if not found.events.is_file():
        raise DataDirError(f"{path} holds no events yet; is it the directory that `gateway serve --data` was given?")
    return found


@contextlib.contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """Yield an empty temporary file, for this user alone, that gets the path's name when the block ends.

    So the file appears whole or not at all. When two processes make the same file, the first one's stays. Raises
    OSError.
    """
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        yield part
        with contextlib.suppress(FileExistsError):
            os.link(part, path)
    finally:
        part.unlink()
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Force the names in a folder to disk: a file's own fsync does not cover its name."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
