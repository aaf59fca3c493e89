"""Removing the expired events of projects whose time is over before others': out of chunks that stay.

How far that has come is in the table `expired`, by project, in the transaction of the removal itself, so that a kill
loses nothing and repeats nothing. A chunk is looked at once for all projects with the same time. Nothing above the
watermark is touched (see retention.py), and keys stay where they are: a late retry is still known.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs
import orjson

from gateway.storage.plan import RECEIPT_RANDOM_BITS
from gateway.storage.sqlite.log.chunks import KEY_BYTES, has_gone
from gateway.storage.sqlite.log.compression import restored, stored
from gateway.storage.sqlite.upkeep.retention import WATERMARK, first_to_stay

CHUNKS = 32
"""So many chunks, of 128 KiB, are looked at in one piece of work."""
REWRITTEN = 4
"""So many chunks are written anew in one: some milliseconds."""
RECEIPTS = 1000
PAGE = "SELECT last, keys, CAST(lines AS BLOB), size FROM log WHERE last > ? AND last <= ? ORDER BY last LIMIT ?"
UPDATE = "UPDATE log SET last = ?, keys = ?, lines = ?, size = ?, gone = ? WHERE last = ?"
DELETE = "DELETE FROM log WHERE last = ?"
OF_PROJECTS = "project IN (SELECT value FROM json_each(?))"
CURSORS = f"SELECT count(*), min(position), min(receipt) FROM expired WHERE {OF_PROJECTS}"  # noqa: S608
ADVANCE = (
    "INSERT INTO expired SELECT value, ?, ? FROM json_each(?) WHERE true ON CONFLICT (project) DO UPDATE "
    "SET position = max(position, excluded.position), receipt = max(receipt, excluded.receipt)"
)
# One row, because each row of a result may cost the thread its turn.
NEXT_RECEIPTS = (
    "SELECT json_group_array(json_array(id, position, count, stream)) "
    "FROM (SELECT id, position, count, stream FROM receipts WHERE id > ? AND id < ? ORDER BY id LIMIT ?)"
)
DELETE_RECEIPTS = (
    "DELETE FROM receipts WHERE id IN (SELECT value FROM json_each(?))",
    "DELETE FROM raws WHERE receipt IN (SELECT value FROM json_each(?))",
)
PROJECTS = "SELECT project FROM streams UNION SELECT project FROM counters"
_BEGINNING = b'{"project":"'


@attrs.define
class Expiry:
    """How long each project's events are kept; `keep_of` gives that in seconds, 0 for ever.

    `longest` is the time after which events of any project have expired. `shorter` are the projects with less, by their
    time.
    """

    keep_of: Callable[[str], float]
    longest: float = 0.0
    shorter: dict[float, list[str]] = attrs.field(factory=dict)
    _projects: set[str] = attrs.field(factory=set)

    @classmethod
    def load(cls, connection: sqlite3.Connection, keep_of: Callable[[str], float]) -> "Expiry":
        """Return how long the events of a file's projects are kept. Raises sqlite3.Error."""
        expiry = cls(keep_of)
        expiry.know([project for (project,) in connection.execute(PROJECTS)])
        return expiry

    def know(self, projects: Iterable[str]) -> None:
        """Take up projects that have come."""
        new = set(projects) - self._projects
        if not new:
            return
        self._projects |= new
        times = {project: self.keep_of(project) for project in sorted(self._projects)}
        self.longest = 0.0 if 0.0 in times.values() else max(times.values())
        self.shorter = {}
        for project, seconds in times.items():
            if seconds and seconds != self.longest:
                self.shorter.setdefault(seconds, []).append(project)

    def renew(self, keep_of: Callable[[str], float]) -> None:
        """Follow other times from the next commit on."""
        projects, self._projects, self.keep_of = self._projects, set(), keep_of
        self.know(projects)

    def begin(self, connection: sqlite3.Connection, projects: Iterable[str], position: int, receipt: int) -> None:
        """Inside the open transaction, note that new projects have nothing up to a position and a receipt."""
        new = sorted(set(projects) - self._projects)
        if new:
            connection.execute(ADVANCE, (position, receipt, json.dumps(new)))

    def remove(
        self,
        connection: sqlite3.Connection,
        streams: Mapping[tuple[str, str, str], int],
        *,
        now: int,
        position: int,
        compress: bool,
    ) -> tuple[bool, int]:
        """Inside the open transaction, do a piece of the work. `now` is in milliseconds, `position` the log's last.

        Returns whether there may be more, and the last expired position, whether or not its keys are flushed.
        """
        (watermark,) = connection.execute(WATERMARK).fetchone()
        furthest = 0
        for seconds, projects in self.shorter.items():
            before = max(0, now - int(seconds * 1000)) << RECEIPT_RANDOM_BITS
            expired = first_to_stay(connection, before, position) - 1
            furthest = max(furthest, expired)
            to, named = min(expired, watermark), json.dumps(projects)
            count, done, receipt = connection.execute(CURSORS, (named,)).fetchone()
            if count < len(projects):
                done, receipt = 0, 0
            reached = done if done >= to else _remove_events(connection, projects, done, to, compress=compress)
            last = receipt
            if reached >= to:
                own = {number for (project, *_), number in streams.items() if project in projects}
                last = _remove_receipts(connection, own, receipt, before, to)
            if (reached, last) != (done, receipt):
                connection.execute(ADVANCE, (reached, last, named))
                return True, furthest
        return False, furthest


def _remove_events(connection: sqlite3.Connection, projects: list[str], after: int, to: int, *, compress: bool) -> int:
    """Remove the projects' events from some chunks after a position that end by another; return up to where."""
    beginnings = tuple([_BEGINNING[:-1] + orjson.dumps(project) + b"," for project in projects])
    left = REWRITTEN
    page = connection.execute(PAGE, (after, to, CHUNKS)).fetchall()
    for last, keys, text, size in page:
        chunk = restored(text, size)
        lines = [b"" if _is_of(line, beginnings, projects) else line for line in chunk.split(b"\n")]
        whole = b"\n".join(lines)
        if whole != chunk:
            _write(connection, last, keys, lines, compress=compress or size is not None)
            left -= 1
            if not left:
                return int(last)
    return int(page[-1][0]) if len(page) == CHUNKS else to


def _is_of(line: bytes, beginnings: tuple[bytes, ...], projects: list[str]) -> bool:
    """Return whether an event is of one of the projects; the gateway writes the project first."""
    if not line or line.startswith(_BEGINNING):
        return line.startswith(beginnings)
    try:
        event = orjson.loads(line)
    except ValueError:
        return False
    return isinstance(event, dict) and event.get("project") in projects


def _write(
    connection: sqlite3.Connection, last: int, keys: bytes | None, lines: list[bytes], *, compress: bool
) -> None:
    """Write what is left of a chunk, without what is gone at its beginning and its end."""
    there = [index for index, line in enumerate(lines) if line]
    if not there:
        connection.execute(DELETE, (last,))
        return
    start, end = there[0], there[-1] + 1
    whole = b"\n".join(lines[start:end])
    own = None if keys is None else keys[KEY_BYTES * start : KEY_BYTES * end]
    now_last = last - len(lines) + end
    connection.execute(UPDATE, (now_last, own, *stored(whole, compress=compress), has_gone(whole), last))


def _remove_receipts(connection: sqlite3.Connection, streams: set[int], after: int, before: int, to: int) -> int:
    """Remove receipts of streams whose events are gone, and the requests kept beside them; return up to which."""
    (found,) = connection.execute(NEXT_RECEIPTS, (after, before, RECEIPTS)).fetchone()
    gone: list[int] = []
    rows: list[Any] = json.loads(found)
    for number, position, count, stream in rows:
        if position + count - 1 > to:
            break
        after = number
        if stream in streams:
            gone.append(number)
    for statement in DELETE_RECEIPTS if gone else ():
        connection.execute(statement, (json.dumps(gone),))
    return after
