"""Projects that keep their events for different times, in one database: rows go alone, then days go whole."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator

import attrs
import pytest

from gateway.storage.engines import open_store
from gateway.storage.postgres.connection.address import Address
from gateway.storage.postgres.connection.session import Session
from gateway.storage.postgres.partitions import DAY_MILLIS, day_of, make_days
from gateway.storage.postgres.retention import BATCH, Keeping, Retention
from gateway.storage.read import LogReader, export
from gateway.storage.store import Store, StoreSettings
from gateway.testing.engine.given.entries import entry, row
from tests.storage.postgres.test_partitions import AGED, RAW, counts, partitions, today

DAY = 86_400.0
AGE = 40
MANY = BATCH + 100
DAYS = {"short": 7.0, "longer": 90.0}
"""All others keep their events for ever."""


def days_of(project: str) -> float:
    return DAYS.get(project, 0.0) * DAY


@pytest.fixture
async def session(prepared: str) -> AsyncIterator[Session]:
    opened = Session(Address(prepared), "test")
    yield opened
    await opened.close()


@pytest.fixture
async def store(prepared: str, session: Session) -> Store:
    """A store with MANY events of each of three projects, received AGE days ago, and one of today."""
    made = open_store(prepared)
    millis = (await today(session)) * DAY_MILLIS
    async with made.storage(StoreSettings(keep_raw=3650 * DAY)) as storage:
        for project in ("longer", "short", "ever"):
            old = entry(*[row(f"old {project} {number}", project) for number in range(MANY)], project=project)
            await storage.append(attrs.evolve(old, received_at=millis - AGE * DAY_MILLIS, raw_compressed=RAW))
        async with session.transaction() as db:
            await make_days(db, {day_of(millis) - AGE})
            for statement in AGED:
                await db.execute(statement, AGE)
        for project in ("short", "longer"):
            await storage.append(
                attrs.evolve(entry(row(f"new {project}", project), project=project), received_at=millis)
            )
    return made


async def of_each(log: LogReader) -> Counter[str]:
    """The number of events of each project, as an export has them."""
    return Counter([json.loads(line)["project"] async for page in export(log) for line in page.lines])


async def test_a_project_loses_its_expired_rows_alone_and_readers_skip_their_positions(
    store: Store, session: Session
) -> None:
    retention = Retention(Keeping(window=DAY, events_of=days_of, raws=3650 * DAY))
    async with store.log() as log:
        before = await log.page_back()
        async with session.transaction() as db:
            assert await retention.forget(db) == []
        assert await retention.delete(session, 10.0) == MANY + 2  # with its receipt, and its kept request
        assert await retention.delete(session, 10.0) == 0
        left = {"longer": MANY + 1, "ever": MANY, "short": 1}
        assert await of_each(log) == left
        assert await log.count() == sum(left.values())
        assert [json.loads(line)["name"] for line in (await log.page_back()).lines[-2:]] == ["new short", "new longer"]
        assert {json.loads(line)["project"] for _, line in await log.at(before.positions)} == {
            "ever",
            "short",
            "longer",
        }
    assert await counts(session, "receipts", "raws", "log_times") == [4, 2, 2]


async def test_a_day_is_dropped_once_it_has_expired_for_all_that_have_rows_in_it(
    store: Store, session: Session
) -> None:
    async with session.transaction() as db:
        await db.execute("DELETE FROM gateway.events WHERE project = 'ever'")
        await db.execute("DELETE FROM gateway.receipts WHERE project = 'ever'")
    DAYS["longer"], was = 30.0, DAYS["longer"]
    try:
        async with session.transaction() as db:
            gone = await Retention(Keeping(window=DAY, events_of=days_of, raws=3650 * DAY)).forget(db)
    finally:
        DAYS["longer"] = was
    assert [name.rpartition("_")[0] for name in gone] == ["events", "receipts"]
    # The kept requests of the third project hold their day: the others' are deleted.
    assert [len(await partitions(session, table)) for table in ("events", "receipts", "raws")] == [3, 3, 4]
    assert await counts(session, "events", "receipts", "raws", "log_times") == [2, 2, 3, 1]


async def test_two_serving_gateways_delete_what_has_expired_for_a_project_and_go_on(
    store: Store, session: Session
) -> None:
    settings = StoreSettings(window=DAY, keep_events_of=days_of, keep_raw=3650 * DAY)
    async with store.storage(settings) as one, store.storage(settings) as other, asyncio.timeout(30):
        while await counts(session, "events", "raws") != [2 * MANY + 2, 2]:  # noqa: ASYNC110 - they do it themselves
            await asyncio.sleep(0.01)
        for number, storage in enumerate((one, other)):
            await storage.append(entry(row(f"next {number}", "short"), project="short"))
        async with store.log() as log:
            assert await of_each(log) == {"longer": MANY + 1, "ever": MANY, "short": 3}
