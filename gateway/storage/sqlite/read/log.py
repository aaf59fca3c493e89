"""The reader of events.db: the log, the list of quarantined items, the counters. Synchronous, read-only, no lock.

It works beside a running server, without one, and after a kill. Each page is read to its end at once: a slow consumer
never holds a snapshot, which would keep the server's WAL from being checkpointed.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from types import TracebackType
from typing import Any, Self

from gateway import sqlite_file
from gateway.datadir import DataDir, DataDirError
from gateway.storage.quarantined_items import decode_items
from gateway.storage.sqlite.chunks import events, of_project
from gateway.storage.sqlite.compression import register, restored
from gateway.storage.sqlite.tables import CHUNKED, SIZED, VERSION

PAGE_ROWS = 500
PAGE_BYTES = 4 << 20
COUNT_PAGE = 100_000
"""How many positions are counted in one statement."""

# As a BLOB, the lines are the very bytes that were appended, without a detour through str.
PAGE = "SELECT last, CAST(lines AS BLOB), size FROM {log} WHERE last > ? ORDER BY last LIMIT ?"
# Of the chunk that reaches beyond the range, only what is inside: chunks are merged while others count.
COUNT = (
    "SELECT sum(min(last, ?2) - max(last - coalesce(length(keys) / 16, 1), ?1)) FROM {log} "
    "WHERE last > ?1 AND last <= coalesce((SELECT min(last) FROM {log} WHERE last >= ?2), ?2) "
    "AND last - coalesce(length(keys) / 16, 1) < ?2"
)
# The position before the first event, and that of the last.
ENDS = (
    "SELECT coalesce((SELECT last - coalesce(length(keys) / 16, 1) FROM {log} ORDER BY last LIMIT 1), 0), "
    "coalesce(max(last), 0) FROM {log}"
)
# What stands for the log in a file of an older gateway, without chunks: one row for each event.
UNCHUNKED_LOG = "(SELECT position AS last, key AS keys, body AS lines, NULL AS size FROM events)"
UNSIZED_LOG = "(SELECT last, keys, lines, NULL AS size FROM log)"
COLUMNS = (
    *("id", "message_id", "received_at", "project", "dialect", "route"),
    *("verdict", "item", "receipt", "faults", "payload"),
)
"""The columns of `Reader.quarantine`, in order."""
QUARANTINE = (
    "SELECT id, last, received_at, project, dialect, route, printf('%x', receipt), receipt IS NULL, body_size, "
    "lower(hex(sha256)), items FROM quarantined_requests "
    "WHERE id >= ?1 AND (?2 IS NULL OR project = ?2) ORDER BY id LIMIT 20"
)
QUARANTINE_START = "SELECT coalesce(max(id), 0) FROM quarantined_requests WHERE id <= ?"
SETTLED = "SELECT id FROM settled WHERE id BETWEEN ? AND ?"


class Reader:
    """What is committed to a data directory's log. Raises DataDirError if it has no log that can be read."""

    def __init__(self, directory: DataDir) -> None:
        self._path = directory.events
        try:
            self._connection, version = sqlite_file.connect_checked(self._path, "ro", VERSION)
        except sqlite3.Error as error:
            raise DataDirError(f"cannot read {self._path}: {error}") from error
        if version == 0:
            self._connection.close()
            raise DataDirError(f"{directory.path} holds no events yet")
        self._upgraded = version == VERSION
        self._log = "log" if version >= SIZED else UNSIZED_LOG if version >= CHUNKED else UNCHUNKED_LOG
        register(self._connection)

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

    def last(self) -> int:
        """Return the position of the newest event, 0 if there is none."""
        return int(self._query_log(ENDS).fetchone()[1])

    def bodies(self, after: int = 0, project: str | None = None) -> Iterator[tuple[int, bytes]]:
        """Yield `(position, line)` of each event after a position, until no more is committed.

        `line` is the event as JSON, in UTF-8, without a line break.
        """
        while True:
            page, after, more = self._page(after, project)
            yield from page
            if not more:
                return

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of all events, those of many in one piece, with line breaks between them."""
        after, more = 0, True
        while more:
            found, more = self._chunks(after)
            for index, (last, lines) in enumerate(found):
                # The first may begin before the position, if chunks became one meanwhile.
                yield lines if index else b"\n".join([line for at, line in events(last, lines) if at > after])
            after = found[-1][0] if found else after

    def follow(self, after: int, pause: Callable[[], bool], project: str | None = None) -> Iterator[tuple[int, bytes]]:
        """Yield what `bodies` does, and then new events.

        At the end of the log `pause` is called: it waits and returns True, or returns False to end the iteration.
        """
        while True:
            page, after, more = self._page(after, project)
            yield from page
            if not more and not pause():
                return

    def count(self, project: str | None = None) -> int:
        """Return how many events there are, counted range by range, so that no snapshot lasts long."""
        if project is not None:
            return sum(1 for _ in self.bodies(project=project))
        start, last = self._query_log(ENDS).fetchone()
        ranges = [(low, min(low + COUNT_PAGE, last)) for low in range(start, last, COUNT_PAGE)]
        return sum(self._query_log(COUNT, *each).fetchone()[0] or 0 for each in ranges)

    def events_from(self, first: int, count: int) -> list[tuple[int, bytes]]:
        """Return `(position, line)` of the events at `count` positions from `first` on, without those deleted since."""
        found: list[tuple[int, bytes]] = []
        with closing(self._query_log(PAGE, first - 1, count)) as cursor:
            for last, stored, length in cursor:
                lines = restored(stored, length)
                found += [event for event in events(last, lines) if first <= event[0] < first + count]
                if last >= first + count - 1:
                    break
        return found

    def quarantine(self, after: int = 0, project: str | None = None) -> Iterator[dict[str, object]]:
        """Yield the quarantined items after an id, as dicts with COLUMNS as keys; `faults` and `payload` are JSON text.

        `message_id` and `payload` are None where only the request has them (see quarantine_record). An item for which
        there was no room has three more: `kept` (False), and `size` and `sha256` of its request's body. Raises
        DataDirError if an older gateway wrote the file.
        """
        [(start,)] = self.query(QUARANTINE_START, after)
        while page := self.query(QUARANTINE, start, project):
            for first, last, received_at, owner, dialect, route, receipt, without, size, sha256, items in page:
                start = last + 1
                ended = {number for (number,) in self.query(SETTLED, first, last)}
                for item in decode_items(items, first):
                    if item.number > after and item.number not in ended:
                        yield {
                            "id": item.number,
                            "message_id": item.message_id or None,
                            "received_at": received_at,
                            "project": owner,
                            "dialect": dialect,
                            "route": route,
                            "verdict": item.verdict,
                            "item": item.index,
                            "receipt": None if without else receipt,
                            "faults": item.faults,
                            "payload": item.payload or None,
                            **({} if size is None else {"kept": False, "size": size, "sha256": sha256}),
                        }

    def counters(self) -> list[dict[str, object]]:
        """Return how many items had each outcome so far, as dicts with `project`, `dialect`, `verdict` and `count`.

        For each project and dialect, `received` is the sum of `stored`, `duplicate`, `quarantined` and `filtered`.
        `rejected` items, which an answer named as invalid, are not in `received`. A file of an older gateway calls them
        `refused`.
        """
        rows = self._connection.execute("SELECT project, dialect, verdict, count FROM counters ORDER BY 1, 2, 3")
        return [dict(zip(("project", "dialect", "verdict", "count"), row, strict=True)) for row in rows]

    def _page(self, after: int, project: str | None) -> tuple[list[tuple[int, bytes]], int, bool]:
        """Return a page of events, the last position that was read, and whether there may be more after it."""
        page: list[tuple[int, bytes]] = []
        found, more = self._chunks(after)
        for index, (last, lines) in enumerate(found):
            chunk = events(last, lines)
            if not index:  # the caller may have stopped in the middle of this chunk
                chunk = [event for event in chunk if event[0] > after]
            page += chunk if project is None else of_project(chunk, project)
        return page, found[-1][0] if found else after, more

    def _chunks(self, after: int) -> tuple[list[tuple[int, bytes]], bool]:
        """Return `(last position, lines)` of some chunks that end after a position, and whether there may be more."""
        found: list[tuple[int, bytes]] = []
        size = 0
        with closing(self._query_log(PAGE, after, PAGE_ROWS)) as cursor:
            for last, stored, length in cursor:
                lines = restored(stored, length)
                found.append((last, lines))
                size += len(lines)
                if size >= PAGE_BYTES:
                    return found, True
        return found, len(found) == PAGE_ROWS

    def _query_log(self, statement: str, *values: object) -> sqlite3.Cursor:
        return self._connection.execute(statement.format(log=self._log), values)

    def _check_upgraded(self) -> None:
        if not self._upgraded:
            raise DataDirError(f"{self._path} was written by an older gateway; `gateway serve` upgrades it")
