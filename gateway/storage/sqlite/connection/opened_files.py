"""Whether the log's files are still those that were opened: a removed file takes writes, and loses them."""

import os
from pathlib import Path
from typing import Self

import attrs

from gateway.storage.contract import Broken

COMPANIONS = ("-wal", "-shm")
RECOVERY = "nothing is accepted until it is back or the gateway was started again"


@attrs.frozen
class OpenedFiles:
    """The files of a log by device and inode, as they were when they were opened.

    `companions` are SQLite's own files beside it: those that were there, by path.
    """

    path: str
    file: tuple[int, int]
    companions: dict[str, tuple[int, int]]

    @classmethod
    def of(cls, path: Path) -> Self:
        """Return the files at a path that a connection has open. Raises Broken."""
        found = {f"{path}{name}": _identity(f"{path}{name}") for name in COMPANIONS}
        file = _identity(str(path))
        if file is None:
            raise _broken(str(path), None)
        return cls(str(path), file, {name: each for name, each in found.items() if each is not None})

    def check_file(self) -> None:
        """Raise Broken unless the log at the path is the one that is open: one system call, for after each commit."""
        if (found := _identity(self.path)) != self.file:
            raise _broken(self.path, found)

    def check(self) -> None:
        """Raise Broken unless the log and its companions are the ones that are open."""
        self.check_file()
        for path, opened in self.companions.items():
            if (found := _identity(path)) != opened:
                raise _broken(path, found)


def _identity(path: str) -> tuple[int, int] | None:
    """Return a file's device and inode, None if nothing can be found at the path."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _broken(path: str, found: tuple[int, int] | None) -> Broken:
    what = "is gone (removed, moved or unmounted)" if found is None else "was replaced by another file"
    return Broken(f"{path} {what}; {RECOVERY}")
