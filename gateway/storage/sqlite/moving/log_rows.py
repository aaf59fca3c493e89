"""Writes batches of another store's log into events.db. Synchronous, inside the caller's transaction."""

import re
import sqlite3
from collections.abc import Sequence
from itertools import groupby

import attrs
import orjson

from gateway.storage.contract import EventRow
from gateway.storage.moving import LogBatch, MovedReceipt
from gateway.storage.outcomes_json import shifted
from gateway.storage.plan import Stream
from gateway.storage.sqlite import old_positions
from gateway.storage.sqlite.connection.statements import bulk_insert
from gateway.storage.sqlite.log.chunks import chunks
from gateway.storage.sqlite.log.times import ANY_TIME, MINUTE, received_at
from gateway.storage.sqlite.moving.seen import SeenKeys

FIELDS = (
    *("project", "dialect", "type", "name", "message_id", "timestamp", "sent_at", "received_at", "anonymous_id"),
    *("user_id", "previous_id", "group_id", "session_id", "properties", "traits", "context"),
)
"""The order in which a line has its fields: readers find what they look for without reading all of it."""
GONE = -(1 << 40)
"""Where the events of a receipt are that are not there any more, and whose place cannot be reserved."""
_INEXACT = re.compile(rb"[0-9][0-9.]{15}|[0-9][eE]")
_MOST_NUMBERS = 1 << 31


@attrs.define
class LogRows:
    """What goes on from batch to batch: the last position, the numbers of the streams, the keys that were seen."""

    last: int
    streams: dict[Stream, int]
    seen: SeenKeys

    @classmethod
    def load(cls, file: sqlite3.Connection) -> "LogRows":
        """Read where a move has come to."""
        [(last,)] = file.execute("SELECT value FROM meta WHERE name = 'watermark'").fetchall()
        streams = {
            (project, dialect, route): number
            for number, project, dialect, route in file.execute("SELECT * FROM streams")
        }
        return cls(last, streams, SeenKeys.load(file))

    def write(self, file: sqlite3.Connection, batch: LogBatch) -> None:
        """Write a batch. If the transaction fails, this object is of no use any more."""
        positions, bases = self._positions(batch)
        keys = [None if each is None else each[1] for each in batch.keys]
        rows = [EventRow(_respelled(line), key) for line, key in zip(batch.lines, keys, strict=True)]
        flat: list[object] = []
        for _, run in groupby(range(len(rows)), lambda index: positions[index] - index):
            indexes = list(run)
            part = chunks([rows[index] for index in indexes], positions[indexes[0]] - 1)
            for at in range(0, len(part), 3):
                # Of three values the last is bytes; the list, which SQLite is given, has them all as objects.
                flat += (part[at], part[at + 1], bytes(part[at + 2]).decode(), None)  # type: ignore[call-overload]
        bulk_insert(file, "INSERT INTO log (last, keys, lines, size) ", 4, flat, chunk=8)
        named = [
            (position, place) for position, place in zip(positions, batch.places, strict=True) if place is not None
        ]
        if named:
            old_positions.create(file)
            old_positions.add(file, [position for position, _ in named], [place for _, place in named])
        if rows:
            file.execute("INSERT INTO log_times VALUES (?, ?, ?)", (positions[0], *_span(rows)))
        self._write_receipts(file, batch.receipts, bases, may_reserve=not any(batch.positions))
        self.seen.add(file, [key for key in keys if key is not None])
        file.execute("UPDATE meta SET value = ? WHERE name = 'watermark'", (self.last,))

    def _positions(self, batch: LogBatch) -> tuple[list[int], dict[int, int]]:
        """Return a position for each event, and for each transaction what its numbers are counted from.

        A position that the event had in SQLite before stays. Otherwise the numbers of a transaction are counted on, so
        that a receipt finds its events.
        """
        found: list[int] = []
        bases: dict[int, int] = {}
        for position, place in zip(batch.positions, batch.places, strict=True):
            at = self.last + 1
            if position is not None and position > self.last:
                at = position
            elif place is not None:
                at = max(at, bases.get(place[0], self.last) + place[1])
            if place is not None:
                bases.setdefault(place[0], at - place[1])
            found.append(at)
            self.last = at
        return found, bases

    def _write_receipts(
        self, file: sqlite3.Connection, receipts: Sequence[MovedReceipt], bases: dict[int, int], *, may_reserve: bool
    ) -> None:
        flat: list[object] = []
        raws: list[object] = []
        for receipt in receipts:
            position = receipt.position
            if position is None:
                assert receipt.place is not None, "a receipt has one or the other"
                xid, number = receipt.place
                position = bases.setdefault(xid, self.last if may_reserve else GONE) + number
                if may_reserve and receipt.count < _MOST_NUMBERS:
                    self.last = max(self.last, position + receipt.count - 1)
            flat += (receipt.id, receipt.received_at, self._stream(file, receipt), position, receipt.count)
            flat.append(_items(receipt.items, position))
            if receipt.raw is not None:
                raws += (receipt.id, receipt.raw)
        bulk_insert(file, "INSERT INTO receipts (id, received_at, stream, position, count, outcomes) ", 6, flat)
        bulk_insert(file, "INSERT INTO raws ", 2, raws)

    def _stream(self, file: sqlite3.Connection, receipt: MovedReceipt) -> int:
        name = (receipt.project, receipt.dialect, receipt.route)
        if name not in self.streams:
            self.streams[name] = len(self.streams) + 1
            file.execute("INSERT INTO streams VALUES (?, ?, ?, ?)", (self.streams[name], *name))
        return self.streams[name]


def _items(stored: bytes | None, position: int) -> str | bytes | None:
    if stored is None:
        return None
    return shifted(stored.decode() if stored.startswith(b"[") else stored, position)


def _respelled(line: bytes) -> bytes:
    """Return an event with its fields in the order of FIELDS.

    One with a number that would not come back as it is stays in the order in which it is; so do unknown fields.
    """
    if line.startswith(b'{"project":') or _INEXACT.search(line):
        return line
    event = orjson.loads(line)
    known = {name: event.pop(name) for name in FIELDS if name in event}
    return orjson.dumps(known | event)


def _span(rows: Sequence[EventRow]) -> tuple[int, int]:
    """Return from which minute on and before which one the events were received."""
    times = [received_at(row.body) for row in rows]
    known = [each for each in times if each is not None]
    if len(known) < len(times):
        return 0, ANY_TIME
    return min(known) // MINUTE * MINUTE, max(known) // MINUTE * MINUTE + MINUTE
