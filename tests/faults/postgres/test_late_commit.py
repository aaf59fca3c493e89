"""Transactions that commit in another order than they began: readers never miss one."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator

import asyncpg

from gateway.storage.engines import open_store
from gateway.storage.postgres.connection.session import Connection
from gateway.storage.read import LogReader, Position
from gateway.storage.store import StoreSettings

PATIENCE = 30  # seconds
INSERT = """
    INSERT INTO gateway.events (project, day, xid, number, body)
    SELECT 'p', (now() AT TIME ZONE 'UTC')::date, pg_current_xact_id()::text::bigint + xid_offset, 1, $1
    FROM gateway.state
"""


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(url, timeout=PATIENCE)
    try:
        yield connection
    finally:
        await connection.close(timeout=PATIENCE)


async def follow(log: LogReader, after: Position | None, found: list[str]) -> Position:
    """Read on to the end; return the cursor."""
    while True:
        page = await log.page(after)
        found += re.findall(r"mark-\d+-0", page.text.decode())
        after = page.cursor
        if not page.more:
            return after


async def test_readers_that_follow_many_writers_read_everything_once_and_in_order(prepared: str) -> None:
    """Twenty transactions at a time that end in any order, each with a number from before its end."""
    store = open_store(prepared)
    count, at_once = 400, 20
    ended = asyncio.Event()
    numbers = iter(range(count))

    async def write() -> None:
        async with connected(prepared) as connection:
            for number in numbers:
                async with connection.transaction():
                    await connection.execute(INSERT, f'{{"mark": "mark-{number}-0"}}')
                    await connection.execute("SELECT pg_sleep(random() * 0.01)")

    async def read() -> list[str]:
        found: list[str] = []
        cursor: Position | None = None
        async with store.log() as log:
            while not ended.is_set():
                cursor = await follow(log, cursor, found)
            await follow(log, cursor, found)
        return found

    async with store.storage(StoreSettings()):  # it makes the day's partition
        reading = asyncio.create_task(read())
        await asyncio.gather(*[write() for _ in range(at_once)])
        ended.set()
        found = await reading
    assert len(found) == count
    assert set(found) == {f"mark-{number}-0" for number in range(count)}
