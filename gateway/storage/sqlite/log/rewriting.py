"""Changing lines of events that lie in chunks, and removing some. Synchronous, inside the caller's transaction."""

import sqlite3
from collections.abc import Mapping

from gateway.storage.sqlite.log.chunks import has_gone
from gateway.storage.sqlite.log.compression import restored, stored

GONE = b""
"""The line of an event that is removed."""
CHUNK = "SELECT last, CAST(lines AS BLOB), size FROM log WHERE last >= ? ORDER BY last LIMIT 1"
UPDATE = "UPDATE log SET lines = ?, size = ?, gone = ? WHERE last = ?"


def rewrite_lines(
    connection: sqlite3.Connection, changes: Mapping[int, tuple[bytes, bytes]], *, compress: bool
) -> list[int]:
    """Replace lines, by position: `{position: (old, new)}`; GONE as the new one removes the event.

    Returns the positions that were changed: an event that no longer has its old line stays as it is. Chunks are found
    by position, because they may be merged at any time; of each chunk all changes are one statement.
    """
    changed: list[int] = []
    waiting = sorted(changes, reverse=True)
    while waiting:
        row = connection.execute(CHUNK, (waiting[-1],)).fetchone()
        if row is None:
            break
        last, text, size = row
        lines = restored(text, size).split(b"\n")
        first = last - len(lines) + 1
        here: list[int] = []
        while waiting and waiting[-1] <= last:
            position = waiting.pop()
            old, new = changes[position]
            if position >= first and lines[position - first] == old:
                lines[position - first] = new
                here.append(position)
        if here:
            whole = b"\n".join(lines)
            is_packed = compress or size is not None
            connection.execute(UPDATE, (*stored(whole, compress=is_packed), has_gone(whole), last))
            changed += here
    return changed
