"""Pages of the log, on an open connection. Synchronous; each is read to its end at once, so that no snapshot lasts."""

import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing

import attrs

from gateway.storage.read import EventFilter, Page
from gateway.storage.sqlite.log.chunks import events
from gateway.storage.sqlite.log.compression import restored
from gateway.storage.sqlite.log.times import next_span, previous_span, sure_until
from gateway.storage.sqlite.read.line_filter import LineFilter, line_filter
from gateway.storage.sqlite.tables import CHUNKED, ERASING, SIZED, TIMED

PAGE_ROWS = 500
PAGE_BYTES = 4 << 20
"""A page ends once this much is read, whether or not the filter lets it through."""

# As a BLOB, the lines are the very bytes that were appended, without a detour through str.
PAGE = "SELECT last, CAST(lines AS BLOB), size, gone FROM {log} WHERE last > ? ORDER BY last LIMIT ?"
PAGE_BACK = "SELECT last, CAST(lines AS BLOB), size FROM {log} WHERE last <= ? ORDER BY last DESC LIMIT ?"
NEXT_LAST = "SELECT coalesce(min(last), ?1) FROM {log} WHERE last >= ?1"
# Of the chunk that reaches beyond the range, only what is inside: chunks are merged while others count.
COUNT = (
    "SELECT sum(min(last, ?2) - max(last - coalesce(length(keys) / 16, 1), ?1)) FROM {log} "
    "WHERE last > ?1 AND last <= coalesce((SELECT min(last) FROM {log} WHERE last >= ?2), ?2) "
    "AND last - coalesce(length(keys) / 16, 1) < ?2"
)
# Chunks of the range with events that were removed: they are few, and this column is read without the contents.
GAPS = (
    "SELECT last, CAST(lines AS BLOB), size FROM {log} WHERE last > ?1 AND gone "
    "AND last <= coalesce((SELECT min(last) FROM {log} WHERE last >= ?2), ?2)"
)
# The position before the first event, and that of the last.
ENDS = (
    "SELECT coalesce((SELECT last - coalesce(length(keys) / 16, 1) FROM {log} ORDER BY last LIMIT 1), 0), "
    "coalesce(max(last), 0) FROM {log}"
)
# What stands for the log in a file of an older gateway, without chunks: one row for each event.
UNCHUNKED_LOG = "(SELECT position AS last, key AS keys, body AS lines, NULL AS size, NULL AS gone FROM events)"
UNSIZED_LOG = "(SELECT last, keys, lines, NULL AS size, NULL AS gone FROM log)"
WHOLE_LOG = "(SELECT last, keys, lines, size, NULL AS gone FROM log)"


class LogPages:
    """How to read the log of a file of this schema version or an older one."""

    def __init__(self, version: int) -> None:
        older = WHOLE_LOG if version >= SIZED else UNSIZED_LOG if version >= CHUNKED else UNCHUNKED_LOG
        self._log = "log" if version >= ERASING else older
        self._is_timed = version >= TIMED

    def page(self, connection: sqlite3.Connection, after: int, where: EventFilter) -> Page:
        """See LogReader."""
        start, sure = after, -1
        if self._seeks(where):
            possible, newest = next_span(connection, after, where.since, where.before)
            if possible > newest:
                return Page([], b"", max(after, newest), False)
            start = possible - 1
            sure = sure_until(connection, possible, where.since, where.before)
        at_any_time = line_filter(attrs.evolve(where, since=None, before=None))
        at_these_times = line_filter(where)
        positions: list[int] = []
        texts: list[bytes] = []
        cursor, rows, size, more = start, 0, 0, False
        with closing(self._query(connection, PAGE, start, PAGE_ROWS)) as chunks:
            for last, stored, length, gone in chunks:
                chunk = restored(stored, length)
                first = last - chunk.count(b"\n")
                asked_for = at_any_time if last <= sure else at_these_times
                if (
                    asked_for is not None or gone or first <= start
                ):  # the caller may have stopped in the middle of this chunk
                    found = _found(first, chunk, asked_for, range(start + 1, last + 1))
                    positions += [position for position, _ in found]
                    texts += [line for _, line in found]
                else:
                    positions += range(first, last + 1)
                    texts.append(chunk)
                cursor, rows, size = last, rows + 1, size + len(chunk)
                more = rows == PAGE_ROWS or size >= PAGE_BYTES
                if more:
                    break
        return Page(positions, b"\n".join(texts), cursor, more)

    def page_back(self, connection: sqlite3.Connection, until: int | None, where: EventFilter) -> Page:
        """See LogReader."""
        end = self.newest(connection) if until is None else until
        if self._seeks(where):
            end = previous_span(connection, end, where.since, where.before)
        asked_for = line_filter(where)
        pages: list[list[tuple[int, bytes]]] = []
        cursor, rows, size, more = 0, 0, 0, False
        # The chunk in which `end` lies may go on behind it.
        [(last_row,)] = self._query(connection, NEXT_LAST, end).fetchall()
        with closing(self._query(connection, PAGE_BACK, last_row, PAGE_ROWS)) as chunks:
            for last, stored, length in chunks:
                chunk = restored(stored, length)
                first = last - chunk.count(b"\n")
                pages.append(_found(first, chunk, asked_for, range(first, end + 1)))
                cursor, rows, size = min(first - 1, end), rows + 1, size + len(chunk)
                more = rows == PAGE_ROWS or size >= PAGE_BYTES
                if more:
                    break
        found = [event for page in reversed(pages) for event in page]
        return Page([position for position, _ in found], b"\n".join([line for _, line in found]), cursor, more)

    def at(self, connection: sqlite3.Connection, positions: Sequence[int]) -> list[tuple[int, bytes]]:
        """See LogReader."""
        found: list[tuple[int, bytes]] = []
        chunk: dict[int, bytes] = {}
        known = range(0)
        for position in positions:
            if position not in known:
                rows = self._query(connection, PAGE, position - 1, 1).fetchall()
                # Up to the end of the chunk that was found, what is not in it is nowhere.
                end = sys.maxsize - 1
                chunk = {}
                for last, stored, length, _ in rows:
                    end, chunk = last, dict(events(last, restored(stored, length)))
                known = range(position, end + 1)
            if position in chunk:
                found.append((position, chunk[position]))
        return found

    def newest(self, connection: sqlite3.Connection) -> int:
        """Return the position of the newest event, 0 if there is none."""
        return self.ends(connection)[1]

    def ends(self, connection: sqlite3.Connection) -> tuple[int, int]:
        """Return a position before which there is no chunk's end, and that of the newest event."""
        [(start, last)] = self._query(connection, ENDS).fetchall()
        return int(start), int(last)

    def count(self, connection: sqlite3.Connection, low: int, high: int) -> int:
        """Return how many events there are after one position and up to another."""
        [(count,)] = self._query(connection, COUNT, low, high).fetchall()
        gone = 0
        for last, stored, length in self._query(connection, GAPS, low, high).fetchall():
            lines = restored(stored, length).split(b"\n")
            first = last - len(lines) + 1
            gone += sum(not line and low < position <= high for position, line in enumerate(lines, first))
        return (count or 0) - gone

    def is_gone(self, connection: sqlite3.Connection, position: int) -> bool:
        """Return whether the event at a position was removed, alone among those around it."""
        for last, stored, length, gone in self._query(connection, PAGE, position - 1, 1).fetchall():
            lines = restored(stored, length).split(b"\n") if gone else []
            return last - len(lines) < position <= last and not lines[position - last - 1]
        return False

    def _seeks(self, where: EventFilter) -> bool:
        return self._is_timed and (where.since is not None or where.before is not None)

    def _query(self, connection: sqlite3.Connection, statement: str, *values: object) -> sqlite3.Cursor:
        return connection.execute(statement.format(log=self._log), values)


def _found(first: int, chunk: bytes, asked_for: LineFilter | None, within: range) -> list[tuple[int, bytes]]:
    """Return the `(position, line)` of those events of a chunk that are asked for and within these positions."""
    if asked_for is None:
        found = [event for event in enumerate(chunk.split(b"\n"), first) if event[1]]
    else:
        found = asked_for(first, chunk)
    if found and found[0][0] in within and found[-1][0] in within:
        return found
    return [event for event in found if event[0] in within]
