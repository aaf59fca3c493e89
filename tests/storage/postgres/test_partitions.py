"""Days and generations on a real server: made ahead, forgotten whole, and nothing else goes with them."""

import asyncio
import json
from collections.abc import AsyncIterator

import asyncpg
import attrs
import pytest

from gateway.records.raw_request import RawRequest, compress
from gateway.storage.contract import Appended, AppendStatus
from gateway.storage.engines import open_store
from gateway.storage.postgres.connection.address import Address
from gateway.storage.postgres.connection.session import Session
from gateway.storage.postgres.partitions import (
    AHEAD,
    DAY_MILLIS,
    NOW,
    day_of,
    known_days,
    make_days,
    turn_over,
)
from gateway.storage.postgres.retention import Keeping, Retention
from gateway.storage.read import export
from gateway.storage.store import Store, StoreSettings
from gateway.testing.engine.given.entries import claim, entry, row

DAY = 86_400.0
"""In seconds."""
WINDOW = 7 * DAY
AGE = 40
"""Days since the old events."""


def keeping(events: float, raws: float) -> Keeping:
    return Keeping(window=WINDOW, events_of=lambda _project: events, raws=raws)


KEPT = keeping(30 * DAY, 30 * DAY)
NEW, SEEN = Appended(AppendStatus.NEW), Appended(AppendStatus.NEW, duplicates=(0,))
RAW = compress(RawRequest("POST", "/track", b"{}", b"{}", b"{}"))
AGED = (
    "UPDATE gateway.events SET day = day - $1::int, received_at = received_at - make_interval(days => $1::int) "
    "WHERE name LIKE 'old%'",
    "UPDATE gateway.log_times SET day = day - $1::int, minute = minute - make_interval(days => $1::int) "
    "WHERE first_xid <= (SELECT max(xid) FROM gateway.events WHERE name LIKE 'old%')",
)


@pytest.fixture
async def session(prepared: str) -> AsyncIterator[Session]:
    opened = Session(Address(prepared), "test")
    yield opened
    await opened.close()


@pytest.fixture
def store(prepared: str) -> Store:
    return open_store(prepared)


async def today(session: Session) -> int:
    async with session.transaction() as db:
        return day_of(await db.fetchval(NOW))


async def append_old_and_new(store: Store, session: Session) -> tuple[int, int]:
    """Append an event AGE days ago, it seems, and one now, with their requests; return their receipts."""
    millis = (await today(session)) * DAY_MILLIS
    async with store.storage(StoreSettings(keep_raw=3650 * DAY)) as storage:
        old = attrs.evolve(
            entry(row("old"), idempotency=claim("old")), received_at=millis - AGE * DAY_MILLIS, raw_compressed=RAW
        )
        first = await storage.append(old)
        async with session.transaction() as db:
            await make_days(db, {day_of(millis) - AGE})
            for statement in AGED:
                await db.execute(statement, AGE)
        second = await storage.append(attrs.evolve(entry(row("new")), received_at=millis, raw_compressed=RAW))
    return first.receipt, second.receipt


async def names(store: Store) -> list[str]:
    async with store.log() as log:
        return [json.loads(line)["name"] async for page in export(log) for line in page.lines]


async def counts(session: Session, *tables: str) -> list[int]:
    async with session.transaction() as db:
        return [await db.fetchval(f"SELECT count(*) FROM gateway.{table}") for table in tables]


async def partitions(session: Session, parent: str) -> list[str]:
    async with session.transaction() as db:
        rows = await db.fetch(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass($1) ORDER BY 1",
            f"gateway.{parent}",
        )
    return [name.removeprefix("gateway.") for (name,) in rows]


async def test_there_are_partitions_for_the_days_that_come_and_making_them_again_changes_nothing(
    session: Session,
) -> None:
    day = await today(session)
    expected = {day - 1000, *range(day, day + AHEAD)}
    for _ in range(2):
        async with session.transaction() as db:
            assert await make_days(db, {day - 1000}) == expected
            assert await known_days(db) == expected
    assert [len(await partitions(session, table)) for table in ("events", "receipts", "raws")] == [AHEAD + 1] * 3


async def test_gateways_that_make_and_forget_at_once_wait_for_each_other(prepared: str) -> None:
    async def works(number: int) -> None:
        session = Session(Address(prepared), f"test {number}")
        try:
            for _ in range(3):
                async with session.transaction() as db:
                    await make_days(db, {number})
                async with session.transaction() as db:
                    await Retention(KEPT).forget(db)
                async with session.transaction() as db:
                    await turn_over(db, WINDOW)
        finally:
            await session.close()

    await asyncio.gather(*[works(number) for number in range(3)])
    last = Session(Address(prepared), "test")
    day = await today(last)
    async with last.transaction() as db:
        assert await known_days(db) == set(range(day, day + AHEAD))
    await last.close()


async def test_expired_days_are_forgotten_whole_and_what_is_known_outlives_them(store: Store, session: Session) -> None:
    old, new = await append_old_and_new(store, session)
    tables = ("events", "receipts", "raws", "log_times")
    assert await counts(session, *tables) == [2, 2, 2, 2]
    async with session.transaction() as db:
        gone = await Retention(KEPT).forget(db)
        assert await Retention(KEPT).forget(db) == []
    assert [name.rpartition("_")[0] for name in gone] == ["events", "receipts", "raws"]
    assert await counts(session, *tables) == [1, 1, 1, 1]
    assert await names(store) == ["new"]
    async with store.records() as records:
        assert [await records.receipt(f"{each:x}") is None for each in (old, new)] == [True, False]
        assert [each.project async for each in records.raw_events()] == ["p"]
        assert {name: count for _, _, name, count in await records.counters()} == {"received": 2, "stored": 2}
    async with store.storage(StoreSettings()) as storage:
        assert await storage.append(entry(row("old"))) == SEEN
        replayed = await storage.append(entry(row("other"), idempotency=claim("old")))
        assert (replayed.status, replayed.receipt) == (AppendStatus.REPLAYED, old)


async def test_events_are_kept_for_ever_unless_it_is_said_how_long(store: Store, session: Session) -> None:
    await append_old_and_new(store, session)
    async with session.transaction() as db:
        gone = await Retention(keeping(0, 30 * DAY)).forget(db)
    assert [name.rpartition("_")[0] for name in gone] == ["raws"]
    assert await counts(session, "events", "receipts", "raws", "log_times") == [2, 2, 1, 2]


async def test_a_day_goes_only_when_all_of_it_has_expired(store: Store, session: Session) -> None:
    await append_old_and_new(store, session)
    async with session.transaction() as db:
        assert await Retention(keeping(AGE * DAY, AGE * DAY)).forget(db) == []
    assert await counts(session, "events", "receipts", "raws") == [2, 2, 2]


async def test_a_serving_gateway_forgets_by_itself_and_goes_on(store: Store, session: Session) -> None:
    await append_old_and_new(store, session)
    settings = StoreSettings(window=WINDOW, keep_events=30 * DAY, keep_raw=30 * DAY)
    async with store.storage(settings) as storage, asyncio.timeout(30):
        while await counts(session, "events", "raws") != [1, 1]:  # noqa: ASYNC110 - the gateway does it by itself
            await asyncio.sleep(0.01)
        assert await storage.append(entry(row("next"))) == NEW
        assert await names(store) == ["new", "next"]


async def test_a_reader_in_the_middle_of_a_page_puts_forgetting_off_and_loses_nothing(
    store: Store, session: Session, prepared: str
) -> None:
    await append_old_and_new(store, session)
    reader = Session(Address(prepared), "reader")
    async with reader.transaction(readonly=True) as db:
        assert await db.fetchval("SELECT count(*) FROM gateway.events") == 2
        with pytest.raises(asyncpg.LockNotAvailableError):
            async with session.transaction() as other:
                await Retention(KEPT).forget(other)
        assert await db.fetchval("SELECT count(*) FROM gateway.events") == 2
    await reader.close()
    async with session.transaction() as db:
        assert len(await Retention(KEPT).forget(db)) == 3


async def test_an_old_event_that_comes_late_gets_the_partitions_of_its_day(store: Store, session: Session) -> None:
    async with store.storage(StoreSettings()) as storage:
        answers = [await storage.append(attrs.evolve(entry(row(n)), received_at=n * DAY_MILLIS)) for n in (9, 10, 9)]
    assert answers == [NEW, NEW, SEEN]
    assert [name for name in await partitions(session, "receipts") if "_1970" in name] == [
        "receipts_19700110",
        "receipts_19700111",
    ]
    assert await names(store) == ["9", "10"]
