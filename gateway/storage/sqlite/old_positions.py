"""Other names of events: the positions that they had in PostgreSQL, from which they were moved here.

A row is a run of events of one transaction: those from `first` to `last` of `xid` are at `position` and after it. There
is no such table where nothing was moved.
"""

import re
import sqlite3
from collections.abc import Sequence

from gateway.storage.sqlite.connection.statements import bulk_insert

Place = tuple[int, int]
"""A position of PostgreSQL's, `(transaction, number)`."""
FORM = re.compile("([0-9]{1,18})-([0-9]{1,9})", re.ASCII)
TABLES = (
    "CREATE TABLE IF NOT EXISTS old_positions (position INTEGER PRIMARY KEY, xid INTEGER NOT NULL, "
    "first INTEGER NOT NULL, last INTEGER NOT NULL)",
    "CREATE UNIQUE INDEX IF NOT EXISTS old_positions_by_xid ON old_positions (xid, first)",
)
IS_THERE = "SELECT 1 FROM sqlite_schema WHERE name = 'old_positions'"
RUN = (
    "SELECT position, xid, first, last FROM old_positions WHERE (xid, first) <= (?, ?) "
    "ORDER BY xid DESC, first DESC LIMIT 1"
)
RUNS = (
    "SELECT position, xid, first, last FROM old_positions WHERE position <= ?2 AND position >= "
    "coalesce((SELECT max(position) FROM old_positions WHERE position <= ?1), 0) ORDER BY position"
)


def create(connection: sqlite3.Connection) -> None:
    """Make the table, as part of the open transaction if there is one."""
    for statement in TABLES:
        connection.execute(statement)


def add(connection: sqlite3.Connection, positions: Sequence[int], places: Sequence[Place]) -> None:
    """Inside the open transaction, add the old positions of events that are at these positions."""
    flat: list[int] = []
    before = (0, 0, 0)
    for position, (xid, number) in zip(positions, places, strict=True):
        if (position - number, xid) == before[:2]:
            flat[-1] = number
        else:
            flat += (position, xid, number, number)
        before = (position - number, xid, number)
    bulk_insert(connection, "INSERT INTO old_positions ", 4, flat)


def point(connection: sqlite3.Connection, text: str) -> int:
    """Return the position up to which an old one reaches: that of the last event which had it or one before it."""
    place = parsed(text)
    row = connection.execute(RUN, place).fetchone() if connection.execute(IS_THERE).fetchone() else None
    if row is None:
        return 0
    position, xid, first, last = row
    return int(position + min(last, place[1]) - first if xid == place[0] else position + last - first)


def exact(connection: sqlite3.Connection, place: Place) -> int | None:
    """Return the position of the event that had an old one; None if there is none."""
    row = connection.execute(RUN, place).fetchone() if connection.execute(IS_THERE).fetchone() else None
    if row is None or row[1] != place[0] or row[3] < place[1]:
        return None
    return int(row[0] + place[1] - row[2])


def current(connection: sqlite3.Connection, position: int | str) -> int | None:
    """Return where the event is that has or had a position; None for an old one that no event had.

    Raises ValueError on what is no position.
    """
    return position if isinstance(position, int) else exact(connection, parsed(position))


def places(connection: sqlite3.Connection, after: int, until: int) -> dict[int, Place]:
    """Return the old positions of the events after one position and up to another, by their position."""
    if not connection.execute(IS_THERE).fetchone():
        return {}
    found: dict[int, Place] = {}
    for position, xid, first, last in connection.execute(RUNS, (after + 1, until)):
        begin, end = max(position, after + 1), min(position + last - first, until)
        found |= {each: (xid, each - position + first) for each in range(begin, end + 1)}
    return found


def parsed(text: str) -> Place:
    """Return an old position. Raises ValueError on what is none."""
    found = FORM.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return int(found[1]), int(found[2])
