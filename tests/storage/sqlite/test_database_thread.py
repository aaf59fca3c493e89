"""The database thread: one transaction at a time, in order, its result or error to the caller, even if that is gone."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from gateway.storage.sqlite.connection import sqlite_file
from gateway.storage.sqlite.connection.database_thread import NAP_EVERY, NAP_EVERY_IF_IDLE, DatabaseThread


@pytest.fixture
async def thread(tmp_path: Path) -> AsyncIterator[DatabaseThread]:
    sqlite_file.create(tmp_path / "a.db", "CREATE TABLE numbers (number INTEGER);", 1)
    opened = await DatabaseThread.open(sqlite_file.uri(tmp_path / "a.db", "rw"))
    yield opened
    await opened.close()


async def numbers(thread: DatabaseThread) -> list[int]:
    return await thread.run(lambda connection: [row[0] for row in connection.execute("SELECT number FROM numbers")])


async def test_transactions_run_in_order_on_one_other_thread(thread: DatabaseThread) -> None:
    def insert(connection: sqlite3.Connection, number: int) -> int:
        connection.execute("INSERT INTO numbers VALUES (?)", (number,))
        return threading.get_ident()

    ran_on = await asyncio.gather(*[thread.run(partial(insert, number=number)) for number in range(20)])

    assert (len(set(ran_on)), threading.get_ident() in ran_on) == (1, False)
    assert await numbers(thread) == list(range(20))


async def test_an_error_is_raised_to_its_caller_alone(thread: DatabaseThread) -> None:
    answers = await asyncio.gather(
        thread.run(lambda connection: connection.execute("no SQL")), numbers(thread), return_exceptions=True
    )

    assert (type(answers[0]), answers[1]) == (sqlite3.OperationalError, [])


async def test_a_cancelled_caller_does_not_stop_its_transaction(thread: DatabaseThread) -> None:
    started, go_on = threading.Event(), threading.Event()

    def insert(connection: sqlite3.Connection) -> None:
        started.set()
        go_on.wait(10)
        connection.execute("INSERT INTO numbers VALUES (1)")

    caller = asyncio.create_task(thread.run(insert))
    await asyncio.to_thread(started.wait, 10)
    caller.cancel()
    go_on.set()
    await asyncio.wait([caller])

    assert (caller.cancelled(), await numbers(thread)) == (True, [1])


async def test_an_idle_loop_is_woken_up_ever_less_often_and_a_busy_one_as_often_as_before(
    thread: DatabaseThread,
) -> None:
    go_on = threading.Event()
    running = asyncio.create_task(thread.run(lambda _: go_on.wait(10)))
    async with asyncio.timeout(5):
        while thread._nap_every < NAP_EVERY_IF_IDLE:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        while thread._nap_every > NAP_EVERY:  # noqa: ASYNC110
            await asyncio.sleep(0)
    go_on.set()

    assert await running
