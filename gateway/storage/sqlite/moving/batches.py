"""Reads the log and its receipts in batches, for a move. Synchronous: each batch is one snapshot, read to its end."""

import datetime
import re
import sqlite3
from collections.abc import Sequence

import attrs
import orjson

from gateway.storage.moving import Cursor, LogBatch, MovedReceipt, Place, Row
from gateway.storage.outcomes_json import shifted
from gateway.storage.sqlite import old_positions
from gateway.storage.sqlite.log.chunks import KEY_BYTES, NO_KEY
from gateway.storage.sqlite.log.compression import restored
from gateway.storage.sqlite.log.times import received_at

EVENTS = 4000
"""How many events a batch has, or a few more; one request's are never in two batches."""
RECEIPTS = 4000
BYTES = 8 << 20
"""A batch ends at about so many bytes of events, or of kept requests."""
CHUNKS = (
    "SELECT last, coalesce(length(keys) / 16, 1), keys, CAST(lines AS BLOB), size FROM log WHERE last > ? ORDER BY last"
)
RECEIPT = (
    "SELECT r.id, s.project, s.dialect, s.route, r.received_at, r.position, r.count, r.outcomes, w.packed "
    "FROM receipts r JOIN streams s ON s.id = r.stream LEFT JOIN raws w ON w.receipt = r.id "
    "WHERE r.id > ? AND r.id <= ? ORDER BY r.id LIMIT ?"
)
EPOCH = datetime.date(1970, 1, 1)
_PROJECT = re.compile(rb'\{"project":"([^"\\]*+)"')


@attrs.define
class _Events:
    """Events that were read: their positions, keys and lines.

    `gone` are positions without an event, `reach` is the end of the last chunk.
    """

    positions: list[int] = attrs.field(factory=list)
    keys: list[bytes | None] = attrs.field(factory=list)
    lines: list[bytes] = attrs.field(factory=list)
    gone: list[int] = attrs.field(factory=list)
    size: int = 0
    reach: int = 0

    def add(self, last: int, keys: bytes | None, lines: bytes, after: int) -> None:
        """Add the events of a chunk that are after a position, but for those that were removed."""
        split = lines.split(b"\n")
        first = last - len(split) + 1
        skipped = max(0, after + 1 - first)
        whole = keys or NO_KEY * len(split)
        each = [whole[at : at + KEY_BYTES] for at in range(KEY_BYTES * skipped, len(whole), KEY_BYTES)]
        some = list(zip(range(first + skipped, last + 1), each, split[skipped:], strict=True))
        there = some
        if not all(split):
            there = [event for event in some if event[2]]
            self.gone += [position for position, _, line in some if not line]
        self.positions += [position for position, _, _ in there]
        self.keys += [None if key == NO_KEY else key for _, key, _ in there]
        self.lines += [line for _, _, line in there]
        self.size += len(lines)
        self.reach = last

    def cut(self, until: int) -> None:
        """Leave out those that are beyond a position."""
        while self.positions and self.positions[-1] > until:
            for column in (self.positions, self.keys, self.lines):
                column.pop()


def next_batch(connection: sqlite3.Connection, after: Cursor, until: Cursor, watermark: int) -> LogBatch | None:
    """Return what comes after a cursor, `[position, receipt]`; None if there is nothing up to `until`.

    Keys up to the watermark are left out. It is read in the snapshot of the open transaction, if there is one.
    """
    if connection.in_transaction:
        return _next_batch(connection, after or [0, 0], until, watermark)
    connection.execute("BEGIN")
    try:
        return _next_batch(connection, after or [0, 0], until, watermark)
    finally:
        connection.execute("ROLLBACK")


def _next_batch(connection: sqlite3.Connection, after: Cursor, until: Cursor, watermark: int) -> LogBatch | None:
    start, receipt = after
    if start >= until[0] and receipt >= until[1]:
        return None
    events = _Events()
    reach = _read(connection, events, start, until[0], 0)
    rows = connection.execute(RECEIPT, (receipt, until[1], RECEIPTS)).fetchall()
    if rows and rows[0][5] == start + 1 and rows[0][5] + rows[0][6] - 1 > reach:
        reach = _read(connection, events, start, until[0], rows[0][5] + rows[0][6] - 1)
    taken, end = _taken(rows, reach)
    if len(taken) < len(rows):
        # The events before those of the next receipt: it would otherwise be torn.
        reach = min(reach, max(end, start, rows[len(taken)][5] - 1))
    elif len(rows) == RECEIPTS:
        reach = max(end, start)
    events.cut(reach)
    cursor = [reach, taken[-1][0] if taken else receipt if rows or reach < until[0] else until[1]]
    places = old_positions.places(connection, min([start, *[row[5] - 1 for row in taken]]), reach)
    return LogBatch(
        cursor=cursor,
        lines=events.lines,
        positions=events.positions,
        places=[places.get(each) for each in events.positions],
        days=[_day(taken, events.lines)] * len(events.lines),
        keys=[
            (project_of(line), key) if key is not None and position > watermark else None
            for position, key, line in zip(events.positions, events.keys, events.lines, strict=True)
        ],
        receipts=[_receipt(row, places.get(row[5])) for row in taken],
        gone=events.gone,
    )


def _read(connection: sqlite3.Connection, events: _Events, start: int, until: int, at_least: int) -> int:
    """Read events after what was read, or `start`; return up to where the log was read."""
    after = max(start, events.reach)
    for last, count, keys, stored, size in connection.execute(CHUNKS, (after,)):
        if last - count >= until:
            break
        events.add(last, keys, restored(stored, size), after)
        if last >= at_least and (len(events.lines) >= EVENTS or events.size >= BYTES):
            return min(int(last), until)
    return until


def _taken(rows: Sequence[Row], reach: int) -> tuple[list[Row], int]:
    """Return the receipts of one day whose events are all within reach, and the position at which these end."""
    taken: list[Row] = []
    end, size, day = 0, 0, None
    for row in rows:
        received, position, count, raw = row[4], row[5], row[6], row[8]
        if day is None:
            day = received // 86_400_000
        if position + count - 1 > reach or received // 86_400_000 != day or size > BYTES:
            break
        taken.append(row)
        end = max(end, position + count - 1)
        size += len(raw or b"")
    return taken, end


def _receipt(row: Row, place: Place | None) -> MovedReceipt:
    number, project, dialect, route, received, position, count, outcomes, raw = row
    items = None if outcomes is None else shifted(outcomes, -position)
    return MovedReceipt(
        id=number,
        project=project,
        dialect=dialect,
        route=route,
        received_at=received,
        count=count,
        position=position,
        place=place,
        items=items.encode() if isinstance(items, str) else items,
        raw=raw,
    )


def _day(receipts: Sequence[Row], lines: Sequence[bytes]) -> datetime.date:
    """Return the day of the batch; that of the first event if it has no receipt."""
    millis = receipts[0][4] if receipts else received_at(lines[0]) if lines else 0
    return EPOCH + datetime.timedelta(days=max(0, millis or 0) // 86_400_000)


def project_of(line: bytes) -> str:
    """Return the project of an event; it is empty if the line cannot be read."""
    found = _PROJECT.match(line)
    if found is not None:
        return found[1].decode()
    try:
        event = orjson.loads(line)
    except ValueError:
        return ""
    return str(event.get("project") or "") if isinstance(event, dict) else ""
