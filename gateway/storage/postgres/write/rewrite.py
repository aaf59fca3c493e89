"""Replaces lines of the log, for `events retranslate`."""

import json
from collections.abc import Sequence

from gateway.storage.postgres.connection.errors import EXPECTED, reason
from gateway.storage.postgres.connection.session import Session
from gateway.storage.postgres.lines import encoded
from gateway.storage.postgres.positions import parse
from gateway.storage.read import Position
from gateway.store_error import StoreError

# The look-up of each event is a subquery of its own, so that it goes through the index of each partition.
PLACES = """
SELECT xid, number, found.project, found.day FROM unnest($1::bigint[], $2::int[]) AS asked (xid, number)
CROSS JOIN LATERAL (SELECT project, day FROM gateway.events
    WHERE events.xid = asked.xid AND events.number = asked.number LIMIT 1) AS found
"""
# Locked in one order, so that two commands do not wait for each other.
LOCK = """
SELECT events.xid, events.number, coalesce(exact, body::text)
FROM unnest($1::text[], $2::bigint[], $3::int[], $4::date[]) AS asked (project, xid, number, day)
JOIN gateway.events ON events.project = asked.project AND events.xid = asked.xid AND events.number = asked.number
    AND events.day = asked.day
ORDER BY 1, 2 FOR UPDATE OF events
"""
UPDATE = """
UPDATE gateway.events SET body = line.body, exact = line.exact, dialect = line.body->>'dialect',
    type = line.body->>'type', name = line.body->>'name', message_id = line.body->>'message_id',
    user_id = line.body->>'user_id', anonymous_id = line.body->>'anonymous_id',
    "timestamp" = (line.body->>'timestamp')::timestamptz, received_at = (line.body->>'received_at')::timestamptz
FROM (SELECT project, xid, number, day, text::jsonb AS body, exact
    FROM unnest($1::text[], $2::bigint[], $3::int[], $4::date[], $5::text[], $6::text[])
        AS new (project, xid, number, day, text, exact)) AS line
WHERE events.project = line.project AND events.xid = line.xid AND events.number = line.number
    AND events.day = line.day
"""


async def rewrite(session: Session, changes: Sequence[tuple[Position, bytes, bytes]]) -> int:
    """See `Records.rewrite`. Lines are compared as JSON: order and spelling are not those that were sent."""
    asked = {parse(str(position)): (old, new) for position, old, new in changes}
    try:
        async with session.transaction() as db:
            places = await db.fetch(PLACES, [xid for xid, _ in asked], [number for _, number in asked])
            days = {(xid, number): (project, day) for xid, number, project, day in places}
            rows = await db.fetch(LOCK, *_columns(days))
            same = {
                (xid, number): days[xid, number]
                for xid, number, line in rows
                if json.loads(line) == json.loads(asked[xid, number][0])
            }
            lines, exact = encoded([asked[place][1] for place in same])
            await db.execute(UPDATE, *_columns(same), lines, exact or [None] * len(lines))
    except EXPECTED as error:
        raise StoreError(f"cannot write {session.address.name}: {reason(error)}") from error
    return len(same)


def _columns(days: dict[tuple[int, int], tuple[str, object]]) -> tuple[list[object], ...]:
    """Return places as columns: project, transaction, number, day."""
    return (
        [project for project, _ in days.values()],
        [xid for xid, _ in days],
        [number for _, number in days],
        [day for _, day in days.values()],
    )
