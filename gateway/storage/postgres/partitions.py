"""Making the partitions that are needed, and dropping those of old generations. Rows are written elsewhere.

Events, receipts and kept requests have a partition for each day, keys and claims one for each generation.
"""

import datetime
from collections.abc import Iterable

from gateway.storage.plan import RECEIPT_RANDOM_BITS
from gateway.storage.postgres.connection.session import Connection
from gateway.storage.postgres.tables import LOCK

DAY_MILLIS = 86_400_000
AHEAD = 3
"""For how many days from today on there are partitions, so that midnight makes nobody wait."""
LOCK_MILLIS = 500
"""How long forgetting waits for somebody who reads: meanwhile all writers wait too. It is tried again later."""
BY_DAY = ("events", "receipts", "raws")
BY_GENERATION = ("claims", "keys")
"""In the order in which a group is written: in the other one, forgetting and writing would wait for each other."""
NOW = "SELECT (extract(epoch FROM now()) * 1000)::bigint"
EPOCH = datetime.date(1970, 1, 1)
PARTITIONS = (
    "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid "
    "JOIN pg_class parent ON parent.oid = inhparent JOIN pg_namespace space ON space.oid = parent.relnamespace "
    "WHERE space.nspname = 'gateway' AND parent.relname = ANY($1)"
)
NEXT_GENERATION = (
    "UPDATE gateway.state SET generation = generation + 1, since = now() "
    "WHERE since < now() - make_interval(secs => $1) RETURNING generation"
)
COMING_GENERATION = "SELECT generation + 1 FROM gateway.state WHERE since < now() - make_interval(secs => $1)"


def day_of(millis: int) -> int:
    """Return a time's day, as a number since the epoch; the time is in milliseconds."""
    return millis // DAY_MILLIS


def day_of_receipt(number: int) -> int:
    """Return the day whose partition a receipt lies in."""
    return (number >> RECEIPT_RANDOM_BITS) // DAY_MILLIS


async def known_days(db: Connection) -> set[int]:
    """Return the days that have all their partitions."""
    names = {name for (name,) in await db.fetch(PARTITIONS, list(BY_DAY))}
    days = {name.rpartition("_")[2] for name in names}
    return {_number(day) for day in days if all(f"{table}_{day}" in names for table in BY_DAY)}


async def make_days(db: Connection, days: Iterable[int] = ()) -> set[int]:
    """Make the partitions of these days and of the next AHEAD, if they are missing; return all days that have them."""
    await db.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
    there = await known_days(db)
    today = day_of(await db.fetchval(NOW))
    needed = {*days, *range(today, today + AHEAD)}
    for day in sorted(needed - there):
        first, last = date_of(day), date_of(day + 1)
        low, high = (each * DAY_MILLIS << RECEIPT_RANDOM_BITS for each in (day, day + 1))
        bounds = {"events": f"FROM ('{first}') TO ('{last}')"}
        for table in BY_DAY:
            await _attach(db, table, f"{first:%Y%m%d}", bounds.get(table, f"FROM ({low}) TO ({high})"))
    return there | needed


async def turn_over(db: Connection, window: float) -> None:
    """Begin the next generation of keys if the current one is older than `window` seconds; forget the oldest ones."""
    await db.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
    coming = await db.fetchval(COMING_GENERATION, window)
    if coming is not None:
        for table in BY_GENERATION:
            await _attach(db, table, str(coming), f"IN ({coming})")
        await db.execute(NEXT_GENERATION, window)
    current = await db.fetchval("SELECT generation FROM gateway.state")
    for table in BY_GENERATION:
        await drop(db, table, [number for number in await _numbers(db, table) if number < current - 1])


async def _attach(db: Connection, table: str, suffix: str, bounds: str) -> None:
    """Make a partition. A table is made first and attached then: that keeps nobody from writing into the others."""
    name = f"gateway.{table}_{suffix}"
    attached = await db.fetchval("SELECT 1 FROM pg_inherits WHERE inhrelid = to_regclass($1)", name)
    if attached is None:
        await db.execute(f"CREATE TABLE IF NOT EXISTS {name} (LIKE gateway.{table} INCLUDING ALL)")
        await db.execute(f"ALTER TABLE gateway.{table} ATTACH PARTITION {name} FOR VALUES {bounds}")


async def drop(db: Connection, table: str, numbers: Iterable[int]) -> list[str]:
    """Detach and drop partitions; return their names. It does not wait for a long reader, but fails."""
    gone = [partition_of(table, number) for number in numbers]
    for name in gone:
        await db.execute(
            f"SET LOCAL lock_timeout = {LOCK_MILLIS}; ALTER TABLE gateway.{table} DETACH PARTITION gateway.{name}; "
            f"DROP TABLE gateway.{name}"
        )
    return gone


async def _numbers(db: Connection, table: str) -> list[int]:
    return sorted(int(name.rpartition("_")[2]) for (name,) in await db.fetch(PARTITIONS, [table]))


async def days_of(db: Connection, table: str) -> list[int]:
    """Return the days of which a table has partitions, in order."""
    return sorted(_number(name.rpartition("_")[2]) for (name,) in await db.fetch(PARTITIONS, [table]))


def partition_of(table: str, number: int) -> str:
    """Return the name of the partition of a day or of a generation."""
    return f"{table}_{number}" if table in BY_GENERATION else f"{table}_{date_of(number):%Y%m%d}"


def date_of(day: int) -> datetime.date:
    """Return the date of a day that is given as a number since the epoch."""
    return EPOCH + datetime.timedelta(days=day)


def _number(day: str) -> int:
    return (datetime.datetime.strptime(day, "%Y%m%d").date() - EPOCH).days
