"""The Bloom filters in a file beside the log, so that a start need not read every key. The file is only a shortcut.

The database names the one file that it trusts, by the digest of its bytes, and says up to which position of the log the
keys are in it. It names a file only once that is whole and on disk, and forgets it in the transaction that rotates the
generations. So a file that is damaged, forged, half written, of another log or of another generation is never used; and
a backup of the database knows only what was saved before it was made. A filter without one of the log's keys would let
that key's event be stored a second time.
"""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import attrs

from gateway.datadir import sync_folder
from gateway.storage.sqlite.dedupe.bloom_filter import BloomFilter

NAME = "seen.filter"
UNFINISHED = f"{NAME}.unfinished"
DIGEST_BYTES = 16
PIECE = 1 << 18
"""Bytes that are copied, written and synced at a time: so much memory it takes, and so much a commit may wait for."""
KEEP_FREE = 1 << 26  # for events
READ = "SELECT value FROM meta WHERE name = 'filters'"
WRITE = "INSERT OR REPLACE INTO meta VALUES ('filters', ?)"


@attrs.frozen(kw_only=True)
class SavedFilters:
    """What the database says of a file: every key of the log up to `position` is in its filters.

    `filters` are the count and the size in bytes of each filter, the current generation's first.
    """

    position: int
    filters: tuple[tuple[int, int], ...]
    digest: str

    @classmethod
    def named(cls, connection: sqlite3.Connection) -> Self | None:
        """Return what the database names, None if it names no file."""
        row = connection.execute(READ).fetchone()
        if row is None:
            return None
        position, filters, digest = json.loads(row[0])
        return cls(position=position, filters=tuple((count, size) for count, size in filters), digest=digest)

    def name(self, connection: sqlite3.Connection) -> None:
        """Make this the file that the database names."""
        connection.execute(WRITE, (json.dumps([self.position, self.filters, self.digest]),))

    @property
    def file(self) -> str:
        """The file's name."""
        return f"{NAME}-{self.digest}"


@attrs.define
class FilterSave:
    """One save of the filters as they are now; `position` is where the log ends.

    Keys may be added while it is written: a filter that has more keys than it is said to have is as good. Nothing is
    written if less than `keep_free` bytes of the disk were then left.
    """

    folder: Path
    position: int
    filters: Sequence[BloomFilter]
    generation: int
    keep_free: int = KEEP_FREE
    saved: SavedFilters | None = attrs.field(default=None, init=False)

    def write(self, pause: Callable[[], object] = lambda: None) -> None:
        """Write the filters to a new file, and set `saved` once it is on disk. Raises OSError.

        `pause` is called after each piece, to leave the disk to commits.
        """
        sizes = tuple((each.count, len(each.bits)) for each in self.filters)
        if shutil.disk_usage(self.folder).free - sum(size for _, size in sizes) < self.keep_free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.folder))
        unfinished = self.folder / UNFINISHED
        try:
            digest = _write(unfinished, [each.bits for each in self.filters], pause)
            saved = SavedFilters(position=self.position, filters=sizes, digest=digest)
            unfinished.rename(self.folder / saved.file)
        except BaseException:
            with contextlib.suppress(OSError):
                unfinished.unlink()
            raise
        sync_folder(self.folder)
        self.saved = saved


def _write(path: Path, parts: Sequence[bytearray], pause: Callable[[], object]) -> str:
    """Write the parts to a new file and sync it; return their digest."""
    path.unlink(missing_ok=True)
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        for part in parts:
            for start in range(0, len(part), PIECE):
                piece = bytes(memoryview(part)[start : start + PIECE])  # a copy: bits may be set meanwhile
                digest.update(piece)
                file.write(piece)
                file.flush()
                os.fsync(file.fileno())
                pause()
    return digest.hexdigest()


def trusted(connection: sqlite3.Connection, folder: Path, position: int) -> tuple[int, list[BloomFilter]]:
    """Return the filters of the file that the database names, and the position up to which they have every key.

    `position` is where the log ends. Without such a file the list is empty. All other files of filters are removed.
    Only the holder of the directory's lock may call this.
    """
    saved = SavedFilters.named(connection)
    filters: list[BloomFilter] = []
    # Somebody may have deleted the end of the log by hand: its positions are then given again.
    if saved is not None and saved.position <= position:
        filters = load(folder, saved) or []
    sweep(folder, saved if filters else None)
    return (saved.position, filters) if saved is not None and filters else (0, [])


def load(folder: Path, saved: SavedFilters) -> list[BloomFilter] | None:
    """Return the filters of a file; None if it is missing or is not the one that the database names."""
    found = [BloomFilter(bytearray(size), count) for count, size in saved.filters]
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    try:
        # Whatever else stands at this path, a pipe for example, must not stop the start.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with open(folder / saved.file, "rb", opener=lambda path, _: os.open(path, flags)) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size != sum(len(each.bits) for each in found):
                return None
            for each in found:
                file.readinto(each.bits)
                digest.update(each.bits)
    except OSError:
        return None
    return found if digest.hexdigest() == saved.digest else None


def sweep(folder: Path, saved: SavedFilters | None) -> None:
    """Remove all files of filters but one. Only the holder of the directory's lock may call this."""
    for path in folder.glob(f"{NAME}*"):
        if saved is None or path.name != saved.file:
            with contextlib.suppress(OSError):
                path.unlink()
