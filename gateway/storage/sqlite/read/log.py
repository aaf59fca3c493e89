"""Readers of events.db for the commands: synchronous, read-only, no lock. Nothing here writes.

They work beside a running server, without one, and after a kill. Each page is read to its end at once, so that however
slow a consumer is, no snapshot stays open that would keep the server's log from being folded back into the file.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from types import TracebackType
from typing import Any, Self

from gateway import sqlite_file
from gateway.datadir import DataDir, DataDirError
from gateway.storage.sqlite.chunks import events, of_project
from gateway.storage.sqlite.tables import CHUNKED, VERSION

PAGE_ROWS = 500
PAGE_BYTES = 4 << 20
COUNT_PAGE = 100_000

# BLOB: the very bytes that were appended, with no way through str.
PAGE = "SELECT last, CAST(lines AS BLOB) FROM log WHERE last > ? ORDER BY last LIMIT ?"
COUNT = "SELECT sum(coalesce(length(keys) / 16, 1)) FROM log WHERE last > ? AND last <= ?"
ENDS = "SELECT coalesce(min(last), 1) - 1, coalesce(max(last), 0) FROM log"
# The log of a file from before it had chunks: a row an event.
OLDER = "(SELECT position AS last, key AS keys, body AS lines FROM events)"
COLUMNS = (
    *("id", "message_id", "received_at", "project", "dialect", "route"),
    *("verdict", "item", "receipt", "faults", "payload"),
)
QUARANTINE = (
    "SELECT id, message_id, received_at, project, dialect, route, verdict, item, printf('%x', receipt) AS receipt, "
    "faults, payload FROM quarantine WHERE id > ?1 AND (?2 IS NULL OR project = ?2) ORDER BY id LIMIT ?3"
)


class Reader:
    """A data directory's log as it is committed. Raises DataDirError where there is none that it can read."""

    def __init__(self, directory: DataDir) -> None:
        try:
            self._connection = sqlite_file.connect(directory.events, "ro")
        except sqlite3.Error as error:
            raise DataDirError(f"cannot read {directory.events}: {error}") from error
        try:
            found = sqlite_file.version(self._connection, directory.events, VERSION)
        except sqlite3.Error as error:
            self._connection.close()
            raise DataDirError(f"cannot read {directory.events}: {error}") from error
        except DataDirError:
            self._connection.close()
            raise
        if found == 0:
            self._connection.close()
            raise DataDirError(f"{directory.path} holds no events yet")
        self._older = DataDirError(f"{directory.events} was written by an older gateway; `gateway serve` upgrades it")
        self._upgraded = found == VERSION
        self._log = "log" if found >= CHUNKED else OLDER

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def ask(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows that answer a question, all at once. Raises DataDirError where the file is an older one."""
        if not self._upgraded:
            raise self._older
        return self._connection.execute(question, values).fetchall()

    def last(self) -> int:
        """Return the position of the newest event, 0 where there is none."""
        return int(self._of_log(ENDS).fetchone()[1])

    def bodies(self, after: int = 0, project: str | None = None) -> Iterator[tuple[int, bytes]]:
        """Yield each event's position and body behind a position, up to what is committed when the end is reached."""
        while True:
            page, after, more = self._page(after, project)
            yield from page
            if not more:
                return

    def follow(self, after: int, pause: Callable[[], bool], project: str | None = None) -> Iterator[tuple[int, bytes]]:
        """Yield what `bodies` would, and what comes later. At the end `pause` is called: it waits; False ends this."""
        while True:
            page, after, more = self._page(after, project)
            yield from page
            if not more and not pause():
                return

    def count(self, project: str | None = None) -> int:
        """Return how many events there are, counted and not believed, in stretches so that no snapshot lasts long."""
        if project is not None:
            return sum(1 for _ in self.bodies(project=project))
        start, last = self._of_log(ENDS).fetchone()
        stretches = [(low, min(low + COUNT_PAGE, last)) for low in range(start, last, COUNT_PAGE)]
        return sum(self._of_log(COUNT, *stretch).fetchone()[0] or 0 for stretch in stretches)

    def some(self, first: int, count: int) -> list[tuple[int, bytes]]:
        """Return so many events from a position on, those that there are; all of a request are found so."""
        found: list[tuple[int, bytes]] = []
        with closing(self._of_log(PAGE, first - 1, count)) as cursor:
            for last, lines in cursor:
                found += [event for event in events(last, lines) if first <= event[0] < first + count]
                if last >= first + count - 1:
                    break
        return found

    def quarantine(self, after: int = 0, project: str | None = None) -> Iterator[dict[str, object]]:
        """Yield the held items behind an id as rows by column name; `faults` and `payload` are JSON text."""
        if not self._upgraded:
            raise self._older
        while True:
            with closing(self._connection.execute(QUARANTINE, (after, project, PAGE_ROWS))) as cursor:
                names = [column[0] for column in cursor.description]
                page = [dict(zip(names, row, strict=True)) for row in cursor]
            yield from page
            if len(page) < PAGE_ROWS:
                return
            after = page[-1]["id"]

    def counters(self) -> list[dict[str, object]]:
        """Return what became of all items so far: project, dialect, verdict, count.

        Of each project and dialect, `received` is the sum of `stored`, `duplicate`, `quarantined` and `filtered`;
        `refused` are items that an answer named as bad, beside those.
        """
        rows = self._connection.execute("SELECT project, dialect, verdict, count FROM counters ORDER BY 1, 2, 3")
        return [dict(zip(("project", "dialect", "verdict", "count"), row, strict=True)) for row in rows]

    def _page(self, after: int, project: str | None) -> tuple[list[tuple[int, bytes]], int, bool]:
        """Return a page of events, the last position looked at, and whether there may be more behind it."""
        page: list[tuple[int, bytes]] = []
        looked = size = 0
        with closing(self._of_log(PAGE, after, PAGE_ROWS)) as cursor:
            for last, lines in cursor:
                chunk = events(last, lines)
                if not looked:  # a reader may have stopped in the middle of it
                    chunk = [event for event in chunk if event[0] > after]
                page += chunk if project is None else of_project(chunk, project)
                after = last
                looked += 1
                size += len(lines)
                if size >= PAGE_BYTES:
                    return page, after, True
        return page, after, looked == PAGE_ROWS

    def _of_log(self, question: str, *values: object) -> sqlite3.Cursor:
        return self._connection.execute(question.replace("log", self._log), values)
