"""Small chunks at the end of the log become one: with little traffic each commit adds a chunk of a few events.

Such a chunk wastes up to half of its last page. The small chunks after a position are the tail of the log. Once they
are as large as a chunk should be, the transaction that adds the last of them puts one in their place. Positions, keys
and lines stay what they were. The chunks are read from the file, not remembered: somebody may have changed or deleted
events meanwhile.
"""

import sqlite3
from collections.abc import Sequence

import attrs

from gateway.storage.sqlite.connection.sqlite_file import overwriting
from gateway.storage.sqlite.log.chunks import CHUNK_BYTES, KEY_BYTES, SMALL_BYTES, has_gone
from gateway.storage.sqlite.log.compression import stored

MAX_AGE = 600.0
"""Events that came within this many seconds are merged: a chunk is kept until the last of its events expires."""
# One row, because each row of a result may cost the thread its turn.
TAIL = (
    "SELECT group_concat(hex(keys), ''), CAST(group_concat(lines, char(10)) AS BLOB) "
    "FROM (SELECT keys, lines FROM log WHERE last > ? AND last <= ? ORDER BY last)"
)
DELETE = "DELETE FROM log WHERE last > ? AND last <= ?"
INSERT = "INSERT INTO log (last, keys, lines, size, gone) VALUES (?, ?, ?, ?, ?)"


@attrs.frozen(kw_only=True)
class Tail:
    """The small chunks after a position: the size of their lines, and when the first was added (by the clock)."""

    after: int
    size: int = 0
    since: float = 0.0


def merged(
    connection: sqlite3.Connection,
    tail: Tail,
    position: int,
    added: Sequence[object],
    *,
    now: float,
    compress: bool,
) -> Tail:
    """Inside the open transaction, after chunks were added, merge the tail if it is time; return the new tail.

    `added` are the new rows of the log, as `chunks` returns them; `position` is where the log ended before them.
    """
    for last, lines in zip(added[::3], added[2::3], strict=True):
        assert isinstance(last, int)
        assert isinstance(lines, bytes)
        size = len(lines)
        if tail.size and (size >= SMALL_BYTES or now - tail.since > MAX_AGE):
            if tail.size >= SMALL_BYTES:
                _merge(connection, tail.after, position, compress=compress)
            tail = Tail(after=position)
        if size >= SMALL_BYTES:
            tail = Tail(after=last)
        else:
            tail = Tail(after=tail.after, size=tail.size + size, since=tail.since if tail.size else now)
        if tail.size >= CHUNK_BYTES:
            _merge(connection, tail.after, last, compress=compress)
            tail = Tail(after=last)
        position = last
    return tail


def _merge(connection: sqlite3.Connection, after: int, last: int, *, compress: bool) -> None:
    """Put one chunk in the place of those whose events follow a position, up to `last`, if all are still there."""
    hex_keys, lines = connection.execute(TAIL, (after, last)).fetchone()
    keys = bytes.fromhex(hex_keys or "")
    if len(keys) != KEY_BYTES * (last - after) or lines.count(b"\n") != last - after - 1:
        return  # a chunk has no gaps in its positions
    with overwriting(connection):
        connection.execute(DELETE, (after, last))
        connection.execute(INSERT, (last, keys, *stored(lines, compress=compress), has_gone(lines)))
