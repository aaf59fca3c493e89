"""Finds single events by their position, the lines of all that one request became, and which of them were erased."""

import datetime
import re
from collections.abc import Collection, Sequence

from gateway.storage.postgres.connection.session import Connection
from gateway.storage.postgres.positions import parse
from gateway.storage.read import Position

Place = tuple[int, int]
"""The transaction that wrote an event, and the event's number in it."""

# The look-up of each place is a subquery of its own: so it goes through an index, however few rows the table had when
# the statement was planned. With the day it looks into one partition, without into each.
OF_DAYS = """
SELECT xid, number, line FROM unnest($1::bigint[], $2::int[], $3::date[]) AS asked (xid, number, day)
CROSS JOIN LATERAL (SELECT coalesce(exact, body::text) AS line FROM gateway.events
    WHERE events.xid = asked.xid AND events.number = asked.number AND events.day = asked.day LIMIT 1) AS found
"""
OF_ANY_DAY = """
SELECT xid, number, line FROM unnest($1::bigint[], $2::int[]) AS asked (xid, number)
CROSS JOIN LATERAL (SELECT coalesce(exact, body::text) AS line FROM gateway.events
    WHERE events.xid = asked.xid AND events.number = asked.number LIMIT 1) AS found
"""


OLD_POSITION = re.compile("[0-9]{1,18}", re.ASCII)
ERASED = "SELECT number FROM gateway.erased_positions WHERE project = $1 AND xid = $2 AND number = ANY ($3::int[])"
IS_ERASED = "SELECT 1 FROM gateway.erased_positions WHERE xid = $1 AND number = $2 LIMIT 1"
OF_OLD = "SELECT xid, number FROM gateway.events WHERE moved_from = $1"


async def place_of(db: Connection, position: Position) -> Place | None:
    """Return the place of the event that has or had a position; None for an old one that no event had.

    Raises ValueError on what is no position.
    """
    text = str(position)
    if not OLD_POSITION.fullmatch(text):
        return parse(text)
    row = await db.fetchrow(OF_OLD, int(text))
    return None if row is None else (row[0], row[1])


async def lines_at(db: Connection, places: Sequence[Place], days: Sequence[datetime.date]) -> dict[Place, bytes]:
    """Return the lines of events by their place, without those deleted since; `days` are those of their receipt."""
    if not places:
        return {}
    rows = await db.fetch(OF_DAYS, [xid for xid, _ in places], [number for _, number in places], days)
    found = {(xid, number): line.encode() for xid, number, line in rows}
    # An event that was moved here from another store has the day of its first receipt, a replayed one too.
    if missing := [place for place in places if place not in found]:
        rows = await db.fetch(OF_ANY_DAY, [xid for xid, _ in missing], [number for _, number in missing])
        found |= {(xid, number): line.encode() for xid, number, line in rows}
    return found


async def erased_numbers(db: Connection, project: str, xid: int, numbers: Collection[int]) -> set[int]:
    """Return those of a transaction's numbers whose events were erased."""
    if not numbers:
        return set()
    return {number for (number,) in await db.fetch(ERASED, project, xid, list(numbers))}


async def is_erased(db: Connection, place: Place) -> bool:
    """Return whether the event at a place was erased."""
    return await db.fetchval(IS_ERASED, *place) is not None
