"""Forgetting events, receipts and kept requests that have expired, by the day.

A day's partition is dropped once it has expired for every project that has rows in it: that costs nothing, and leaves
nothing for vacuum. Where projects differ, the rows of those that expire earlier are deleted before that, a batch a
transaction. They lie together in the primary key, which begins with the project, so that no other row is looked at.
"""

import time
from collections.abc import Callable, Mapping, Sequence

import attrs

from gateway.storage.plan import RECEIPT_RANDOM_BITS
from gateway.storage.postgres.connection.session import Connection, Session
from gateway.storage.postgres.partitions import (
    BY_DAY,
    DAY_MILLIS,
    NOW,
    date_of,
    day_of,
    days_of,
    drop,
    partition_of,
)
from gateway.storage.postgres.tables import LOCK

LATE = 1
"""Days for which receipts stay longer: their day is that of a gateway's clock, which may be late."""
MOST_SECONDS = 1e9
NO_PROJECT = ""
"""Whose time counts for a partition without rows: it is that of `[storage]`."""
LOOK_SECONDS = 3600.0
"""How often it is asked again which projects have rows of a day."""
LOOKED_AT = 200
"""Partitions that are looked at in one transaction."""
BATCH = 2000
"""Rows of one project that are deleted in one transaction."""
DELETE_LOCK = 0x6761_7465_6578_7069  # "gateexpi": the advisory lock of whoever deletes; others have nothing to do then
# From one project straight to the next: a look into the index for each.
PROJECTS = """
WITH RECURSIVE found AS (
    (SELECT project FROM gateway.{partition} ORDER BY project LIMIT 1)
    UNION ALL
    SELECT (SELECT next.project FROM gateway.{partition} next WHERE next.project > found.project
        ORDER BY next.project LIMIT 1) FROM found WHERE found.project IS NOT NULL)
SELECT project FROM found WHERE project IS NOT NULL
"""
PLACES: Mapping[str, Sequence[str]] = {"events": ("xid", "number"), "receipts": ("id",), "raws": ("receipt",)}
"""What follows the project in the primary key of each table."""
LAST = (
    "SELECT {columns} FROM gateway.{table} WHERE {of_day} AND project = $1 AND ({columns}) > ({after}) "
    f"ORDER BY {{columns}} OFFSET {BATCH - 1} LIMIT 1"
)
DELETE = "DELETE FROM gateway.{table} WHERE {of_day} AND project = $1 AND ({columns}) > ({after})"
FORGET_TIMES = "DELETE FROM gateway.log_times WHERE day = ANY ($1::date[])"


@attrs.frozen
class Keeping:
    """For how many seconds keys are remembered, and a project's events, and kept requests; 0 is for ever for events."""

    window: float
    events_of: Callable[[str], float]
    raws: float

    def first_day(self, table: str, project: str, now: int) -> int | None:
        """Return the oldest day of which a project's rows stay; None if all do. `now` is in milliseconds."""
        events = self.events_of(project)
        times = [*([events] if events else ()), *([self.raws] if table == "raws" else ())]
        if not times:
            return None
        return day_of(now - int(min(*times, MOST_SECONDS) * 1000)) - (0 if table == "events" else LATE)


@attrs.define
class _Expired:
    """The rows of one project in one partition, of which those up to `after` are deleted."""

    table: str
    day: int
    project: str
    after: tuple[int, ...]


class Retention:
    """Forgets what has expired. One object for a process: it remembers what it has looked at."""

    def __init__(self, keeping: Keeping) -> None:
        self._keeping = keeping
        self._looked: dict[tuple[str, int], float] = {}
        self._expired: list[_Expired] = []

    async def forget(self, db: Connection) -> list[str]:
        """Drop the partitions that have wholly expired, inside the open transaction. Return their names.

        What has expired beside it is remembered for `delete`.
        """
        await db.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
        now: int = await db.fetchval(NOW)
        gone: list[str] = []
        days: list[int] = []
        looked = 0
        for table in BY_DAY:
            for day in await days_of(db, table):
                if not self._is_due(table, day) or looked >= LOOKED_AT:
                    continue
                looked += 1
                if await self._has_expired(db, table, day, now):
                    gone += await drop(db, table, [day])
                    days += [day] if table == "events" else []
        await db.execute(FORGET_TIMES, [date_of(day) for day in days])
        return gone

    async def delete(self, session: Session, seconds: float) -> int:
        """Delete rows that have expired beside others that stay, for about so long; return how many.

        Raises one of EXPECTED.
        """
        end, count = time.monotonic() + seconds, 0
        while self._expired and time.monotonic() < end:
            expired = self._expired[-1]
            async with session.transaction() as db:
                if not await db.fetchval(f"SELECT pg_try_advisory_xact_lock({DELETE_LOCK})"):
                    return count
                last, deleted = await _delete(db, expired)
            count += deleted
            if last is None:
                self._expired.pop()
            else:
                expired.after = last
        return count

    def _is_due(self, table: str, day: int) -> bool:
        looked = self._looked.get((table, day))
        return looked is None or time.monotonic() - looked > LOOK_SECONDS

    async def _has_expired(self, db: Connection, table: str, day: int, now: int) -> bool:
        """Return whether a partition has expired for all; else remember what has expired for some."""
        rows = await db.fetch(PROJECTS.format(partition=partition_of(table, day)))
        projects = [project for (project,) in rows] or [NO_PROJECT]
        firsts = {project: self._keeping.first_day(table, project, now) for project in projects}
        expired = [project for project, first in firsts.items() if first is not None and day < first]
        if len(expired) == len(projects):
            return True
        self._looked[table, day] = time.monotonic()
        known = {(each.table, each.day, each.project) for each in self._expired}
        start = (-1,) * len(PLACES[table])
        self._expired += [
            _Expired(table, day, project, start) for project in expired if (table, day, project) not in known
        ]
        return False


async def _delete(db: Connection, expired: _Expired) -> tuple[tuple[int, ...] | None, int]:
    """Delete the next rows; return up to where, None at the end, and how many."""
    first = expired.day * DAY_MILLIS << RECEIPT_RANDOM_BITS
    [*_, column] = columns = PLACES[expired.table]
    texts = {
        "table": expired.table,
        "columns": ", ".join(columns),
        "after": ", ".join([str(each) for each in expired.after]),
        # Written out, so that the other partitions are not looked into, and not locked.
        "of_day": f"day = '{date_of(expired.day)}'"
        if expired.table == "events"
        else f"{column} >= {first} AND {column} < {first + (DAY_MILLIS << RECEIPT_RANDOM_BITS)}",
    }
    row = await db.fetchrow(LAST.format(**texts), expired.project)
    until = "" if row is None else f" AND ({texts['columns']}) <= ({', '.join(map(str, row))})"
    done = await db.execute(DELETE.format(**texts) + until, expired.project)
    return None if row is None else tuple(row), int(done.split()[-1])
