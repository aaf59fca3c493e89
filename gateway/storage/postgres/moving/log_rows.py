"""Writes batches of another store's log, inside the caller's transaction."""

import datetime
from collections.abc import Sequence

import attrs

from gateway.storage.moving import LogBatch, MovedReceipt
from gateway.storage.outcomes_json import shifted
from gateway.storage.postgres.connection.session import Connection, Session
from gateway.storage.postgres.lines import encoded
from gateway.storage.postgres.partitions import day_of_receipt, known_days, make_days

GATEWAY = -1
"""The number under which a move counts: no gateway has it."""
EPOCH = datetime.date(1970, 1, 1)
DAYS_AT_ONCE = 10
"""How many days' partitions are made in one transaction: each locks some tables."""
RAISE_OFFSET = (
    "UPDATE gateway.state SET xid_offset = greatest(xid_offset, $1::bigint + 1 - pg_current_xact_id()::text::bigint)"
)
WRITE = """
WITH state AS MATERIALIZED (SELECT pg_current_xact_id()::text::bigint + xid_offset AS xid FROM gateway.state),
lines AS (
    SELECT line::jsonb AS body, exact, coalesce(line.xid, state.xid) AS xid, number, day, moved_from
    FROM state, unnest($1::text[], $2::text[], $3::bigint[], $4::int[], $5::date[], $6::bigint[])
        AS line (line, exact, xid, number, day, moved_from)
    OFFSET 0),  -- else the text would be parsed again for each column
events AS (
    INSERT INTO gateway.events (project, day, xid, number, dialect, type, name, message_id, user_id, anonymous_id,
        "timestamp", received_at, body, exact, moved_from)
    SELECT coalesce(body->>'project', ''), day, xid, number, body->>'dialect', body->>'type',
        body->>'name', body->>'message_id', body->>'user_id', body->>'anonymous_id',
        (body->>'timestamp')::timestamptz, (body->>'received_at')::timestamptz, body, exact, moved_from
    FROM lines
    RETURNING day, xid, received_at),
times AS (
    INSERT INTO gateway.log_times AS known (gateway, day, minute, first_xid, last_xid, since, before)
    SELECT $7::int, day, date_trunc('minute', coalesce(min(received_at), day)), min(xid), max(xid),
        min(coalesce(received_at, '-infinity')), max(coalesce(received_at, 'infinity'))
    FROM events GROUP BY day
    ON CONFLICT (day, minute, gateway) DO UPDATE SET last_xid = greatest(known.last_xid, excluded.last_xid),
        first_xid = least(known.first_xid, excluded.first_xid),
        since = least(known.since, excluded.since), before = greatest(known.before, excluded.before)),
receipts AS (
    INSERT INTO gateway.receipts (project, id, xid, first, count, received_at, dialect, route, items)
    SELECT project, id, coalesce(receipt.xid, state.xid), first, count, to_timestamp(at / 1000.0), dialect, route, items
    FROM state, unnest($8::text[], $9::bigint[], $10::bigint[], $11::int[], $12::int[], $13::bigint[], $14::text[],
        $15::text[], $16::bytea[]) AS receipt (project, id, xid, first, count, at, dialect, route, items))
INSERT INTO gateway.raws SELECT * FROM unnest($17::text[], $18::bigint[], $19::bytea[])
"""
INSERT_KEYS = (
    "INSERT INTO gateway.keys (project, key, generation) SELECT project, key, generation "
    "FROM gateway.state, unnest($1::text[], $2::bytea[]) AS added (project, key) ORDER BY 1, 2 ON CONFLICT DO NOTHING"
)


@attrs.define
class LogRows:
    """What goes on from batch to batch: the days that have partitions, and that of the last event.

    An event lies in the partition of the day on which it was received, so that it is forgotten like those that came
    here. Readers rely on later transactions having no earlier day, so an event of an earlier day goes to the last.
    """

    days: set[int]
    last_day: datetime.date
    today: datetime.date

    @classmethod
    async def load(cls, db: Connection) -> "LogRows":
        """Read how far a move is: the partitions that there are, and the last day that has events."""
        days = await known_days(db)
        today = await db.fetchval("SELECT (now() AT TIME ZONE 'UTC')::date")
        for day in sorted(days, reverse=True):
            date = EPOCH + datetime.timedelta(days=day)
            if await db.fetchval(f"SELECT 1 FROM gateway.events_{date:%Y%m%d} LIMIT 1"):
                return cls(days, date, today)
        return cls(days, EPOCH, today)

    async def make_days(self, session: Session, batch: LogBatch) -> None:
        """Make the partitions that a batch needs."""
        needed = {(day - EPOCH).days for day in self._days(batch)}
        needed |= {day_of_receipt(receipt.id) for receipt in batch.receipts}
        missing = sorted(needed - self.days)
        for start in range(0, len(missing), DAYS_AT_ONCE):
            async with session.transaction() as db:
                self.days = await make_days(db, missing[start : start + DAYS_AT_ONCE])

    async def write(self, db: Connection, batch: LogBatch) -> None:
        """Write a batch. A position that an event had in PostgreSQL before stays."""
        known = [place[0] for place in batch.places if place is not None]
        known += [receipt.place[0] for receipt in batch.receipts if receipt.place is not None]
        if known:
            await db.execute(RAISE_OFFSET, max(known))
        base = _base(batch)
        lines, exact = encoded(batch.lines)
        days = self._days(batch)
        raws = [receipt for receipt in batch.receipts if receipt.raw is not None]
        await db.execute(
            WRITE,
            lines,
            exact or [None] * len(lines),
            [None if place is None else place[0] for place in batch.places],
            [
                (position or 0) - base if place is None else place[1]
                for position, place in zip(batch.positions, batch.places, strict=True)
            ],
            days,
            batch.positions,
            GATEWAY,
            *zip(*[_values(receipt, base) for receipt in batch.receipts], strict=True)
            if batch.receipts
            else [[] for _ in range(9)],
            [receipt.project for receipt in raws],
            [receipt.id for receipt in raws],
            [receipt.raw for receipt in raws],
        )
        keys = [each for each in batch.keys if each is not None]
        if keys:
            await db.execute(INSERT_KEYS, [project for project, _ in keys], [key for _, key in keys])
        if days:
            self.last_day = days[-1]

    def _days(self, batch: LogBatch) -> list[datetime.date]:
        found: list[datetime.date] = []
        last = self.last_day
        for day in batch.days:
            last = max(last, min(day, self.today))
            found.append(last)
        return found


def _base(batch: LogBatch) -> int:
    """Return from which position on the numbers of those events are counted that get a new one."""
    positions: Sequence[int | None] = [
        position for position, place in zip(batch.positions, batch.places, strict=True) if place is None
    ]
    positions = [*positions, *[receipt.position for receipt in batch.receipts if receipt.place is None]]
    return min([position for position in positions if position is not None], default=1) - 1


def _values(receipt: MovedReceipt, base: int) -> tuple[object, ...]:
    xid, first = (None, (receipt.position or 0) - base) if receipt.place is None else receipt.place
    items = receipt.items
    if items is not None:
        moved = shifted(items.decode() if items.startswith(b"[") else items, first)
        items = moved.encode() if isinstance(moved, str) else moved
    return (
        *(receipt.project, receipt.id, xid, first, receipt.count, receipt.received_at),
        *(receipt.dialect, receipt.route, items),
    )
