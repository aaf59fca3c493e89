"""Giving the pages of events.db that deleting has left free back to the disk, a few at a time, while it is written to.

SQLite uses free pages again before its file grows, and keeps the others. With `auto_vacuum = INCREMENTAL` it knows of
each page who refers to it, so that the last pages of the file can move into free ones, and the file can end before
them. That costs a page in 800, about one more in the write-ahead log of a commit, and has to be set when the file is
made. A file of an older gateway gets it from `gateway storage compact`.

The file itself becomes shorter with the next checkpoint that copies all of the write-ahead log.
"""

import logging
import sqlite3
from pathlib import Path
from typing import Self

import attrs

INCREMENTAL = "PRAGMA auto_vacuum = INCREMENTAL"
"""Takes effect before the first table is made, and at a VACUUM."""
SHARE = 10
"""A file may have a tenth of its pages free: what expires in an hour is room for the events of the next."""
LEAST_BYTES = 16 << 20
PAGES = 256
"""How many pages are given back at once: some milliseconds, and about as many pages in the write-ahead log."""
LOOK = (
    "SELECT (SELECT page_count FROM pragma_page_count), (SELECT freelist_count FROM pragma_freelist_count), "
    "(SELECT page_size FROM pragma_page_size), (SELECT auto_vacuum FROM pragma_auto_vacuum)"
)
_INCREMENTAL = 2
log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class FreeSpace:
    """How many pages a file has, how many of them are free, and whether these can be given back while it is used."""

    pages: int
    free: int
    page_size: int
    is_incremental: bool

    @classmethod
    def of(cls, connection: sqlite3.Connection) -> Self:
        """Return what is known of a connection's file. Raises sqlite3.Error."""
        pages, free, size, kind = connection.execute(LOOK).fetchone()
        return cls(pages=pages, free=free, page_size=size, is_incremental=kind == _INCREMENTAL)

    @property
    def free_bytes(self) -> int:
        """How many bytes are free."""
        return self.free * self.page_size

    @property
    def excess(self) -> int:
        """How many pages to give back: none, or so many that half of what may be free stays."""
        most = max(self.pages // SHARE, LEAST_BYTES // self.page_size)
        return self.free - most // 2 if self.free > most else 0


def tell_of_compacting(connection: sqlite3.Connection, path: Path) -> None:
    """Log that a file has much free space and keeps it, if that is so. Raises sqlite3.Error."""
    found = FreeSpace.of(connection)
    if found.excess and not found.is_incremental:
        log.warning(
            "%s has %d MB of free space, which only new events use, because an older gateway made it; stop the server "
            "and run `gateway storage compact` to give it back",
            *(path, found.free_bytes >> 20),
        )


@attrs.define
class Shrinking:
    """Gives free pages back, a piece at a time; `excess` are those that are still to be given back."""

    excess: int = 0

    def step(self, connection: sqlite3.Connection) -> bool:
        """Give back some pages, in a transaction, if the file has more than it should; return whether it did.

        Raises sqlite3.Error.
        """
        if self.excess <= 0:
            found = FreeSpace.of(connection)
            self.excess = found.excess if found.is_incremental else 0
        if self.excess <= 0:
            return False
        # As a script, because `execute` takes one step of a statement without columns, and this has one for each page.
        connection.executescript(f"BEGIN IMMEDIATE; PRAGMA incremental_vacuum({min(PAGES, self.excess)}); COMMIT")
        self.excess -= PAGES
        return True
