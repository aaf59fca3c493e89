"""The reader of events.db for all but the log: the list of quarantined items, the counters. Synchronous, read-only.

It works beside a running server, without one, and after a kill, and takes no lock. Each page is read to its end at
once: a slow consumer never holds a snapshot, which would keep the server's WAL from being checkpointed. Events are read
by log.py; here is only what other readers of this folder need: the events of one request.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from gateway.datadir import DataDir, DataDirError, EmptyDataDir
from gateway.storage.held.rows import listed_row
from gateway.storage.quarantined_items import decode_items
from gateway.storage.read import Position
from gateway.storage.sqlite import old_positions
from gateway.storage.sqlite.connection import sqlite_file
from gateway.storage.sqlite.read.pages import LogPages
from gateway.storage.sqlite.tables import BY_REQUEST, VERSION

QUARANTINE = (
    "SELECT id, last, received_at, project, dialect, route, receipt, body_size, "
    "nullif(lower(hex(sha256)), ''), items FROM quarantined_requests "
    "WHERE id >= ?1 AND (?2 IS NULL OR project = ?2) ORDER BY id LIMIT 20"
)
QUARANTINE_START = "SELECT coalesce(max(id), 0) FROM quarantined_requests WHERE id <= ?"
SETTLED = "SELECT id FROM settled WHERE id BETWEEN ? AND ?"


class Reader:
    """What is committed to a data directory's events.db. Raises DataDirError if it has no log that can be read."""

    def __init__(self, directory: DataDir, opened: tuple[sqlite3.Connection, int] | None = None) -> None:
        """Open the log. `opened` is a connection to it that the caller closes, with the file's schema version."""
        self._path = directory.events
        try:
            self._connection, version = opened or sqlite_file.connect_checked(self._path, "ro", VERSION)
        except sqlite3.Error as error:
            raise DataDirError(f"cannot read {self._path}: {error}") from error
        if version == 0:
            self._connection.close()
            raise EmptyDataDir(f"{directory.path} holds no events yet")
        self._upgraded = version >= BY_REQUEST
        self._pages = LogPages(version)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Return all rows of a query. Raises DataDirError if an older gateway wrote the file."""
        self._check_upgraded()
        return self._connection.execute(statement, values).fetchall()

    def events_at(self, positions: Sequence[int]) -> list[tuple[int, bytes]]:
        """Return `(position, line)` of the events at these positions, without those deleted since."""
        return self._pages.at(self._connection, positions)

    def is_gone(self, position: int) -> bool:
        """Return whether the event at a position was removed, alone among those around it."""
        return self._pages.is_gone(self._connection, position)

    def event_at(self, position: Position) -> tuple[int, bytes] | None:
        """Return `(position, line)` of the event that has or had a position; None if there is none."""
        place = old_positions.current(self._connection, position)
        return next(iter([] if place is None else self.events_at([place])), None)

    def quarantine(self, after: int = 0, project: str | None = None) -> Iterator[dict[str, object]]:
        """Yield the quarantined items after an id, as dicts with QUARANTINE_COLUMNS as keys.

        The rest is as in `Records`. Raises DataDirError if an older gateway wrote the file.
        """
        [(start,)] = self.query(QUARANTINE_START, after)
        while page := self.query(QUARANTINE, start, project):
            for first, last, received_at, owner, dialect, route, receipt, size, sha256, items in page:
                start = last + 1
                ended = {number for (number,) in self.query(SETTLED, first, last)}
                for item in decode_items(items, first):
                    if item.number > after and item.number not in ended:
                        yield listed_row(item, received_at, owner, dialect, route, receipt, size, sha256)

    def counters(self) -> list[dict[str, object]]:
        """Return how many items had each outcome so far, as dicts with `project`, `dialect`, `verdict` and `count`.

        For each project and dialect, `received` is the sum of `stored`, `duplicate`, `quarantined` and `filtered`.
        `rejected` items, which an answer named as invalid, are not in `received`. A file of an older gateway calls them
        `refused`.
        """
        rows = self._connection.execute("SELECT project, dialect, verdict, count FROM counters ORDER BY 1, 2, 3")
        return [dict(zip(("project", "dialect", "verdict", "count"), row, strict=True)) for row in rows]

    def _check_upgraded(self) -> None:
        if not self._upgraded:
            raise DataDirError(f"{self._path} was written by an older gateway; `gateway serve` upgrades it")
