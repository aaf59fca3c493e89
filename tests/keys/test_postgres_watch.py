"""The watcher of the credentials in a database: it is told of each change, or asks, and survives lost connections."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import pytest

from gateway.keys.admin import Admin
from gateway.keys.keyring import Keyring
from gateway.storage.postgres.connection.address import Address
from gateway.storage.postgres.connection.session import Session
from gateway.storage.postgres.keys.watch import watch
from tests.keys.conftest import make_tables, opened_in
from tests.kit.fake_dialect import API_KEY, dialect
from tests.kit.postgres.bouncer import bouncing
from tests.kit.postgres.cluster import Cluster

NOW = 1767323045678
NAME = "watcher"
"""What the server lists the watcher's connection as."""
NEVER = 3600.0
"""Seconds between two questions: what is reported all the same was told by the database."""

Reported = asyncio.Queue[tuple[Keyring, Admin]]


@asynccontextmanager
async def watched(session: Session, every: float) -> AsyncIterator[Reported]:
    reported = Reported()
    task = asyncio.create_task(watch(session, lambda *both: reported.put_nowait(both), every))
    try:
        yield reported
    finally:
        task.cancel()
        await asyncio.wait([task])
        await session.close()


async def end_connections(url: str) -> None:
    """End the connections of the watcher, as a restart of the server does."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = '{NAME}'"
    )
    await connection.close()


async def channels(session: Session) -> list[str]:
    """Return what the watcher's connection listens to."""
    async with session.transaction() as connection:
        return [row[0] for row in await connection.fetch("SELECT pg_listening_channels()")]


async def test_the_database_tells_the_watcher_of_each_change(key_database: str) -> None:
    async with opened_in(key_database) as keys, watched(Session(Address(key_database), NAME), NEVER) as reported:
        assert await reported.get() == (await keys.load(), await keys.admin())
        added = await keys.add("shop", dialect, API_KEY, now=NOW)
        assert await reported.get() == (await keys.load(), await keys.admin())
        await keys.revoke(added.record.id, now=NOW)
        assert await reported.get() == (await keys.load(), await keys.admin())
        token = await keys.new_admin_token()
        ring, admin = await reported.get()
        assert (ring, admin.verify(token)) == (await keys.load(), True)
        assert reported.empty()


async def test_a_change_that_the_database_tells_nobody_of_is_found_by_asking(key_database: str) -> None:
    session = Session(Address(key_database), NAME)
    session.is_pooled = True  # as behind PgBouncer, which passes no messages on
    async with opened_in(key_database) as keys, watched(session, 0.01) as reported:
        assert await reported.get() == (await keys.load(), await keys.admin())
        await keys.add("shop", dialect, API_KEY, now=NOW)
        assert await reported.get() == (await keys.load(), await keys.admin())
        assert reported.empty()


async def test_a_watcher_whose_connection_ends_opens_another_and_listens_again(key_database: str) -> None:
    session = Session(Address(key_database), NAME)
    async with opened_in(key_database) as keys, watched(session, 0.05) as reported:
        assert await reported.get() == (await keys.load(), await keys.admin())
        for _ in range(3):
            await end_connections(key_database)
            await keys.add("shop", dialect, API_KEY, now=NOW)
            assert await reported.get() == (await keys.load(), await keys.admin())
        assert await channels(session) == ["gateway_keys"]
    assert reported.empty()


async def test_what_cannot_be_read_is_told_once_and_changes_nothing(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    session = Session(Address(database), NAME)
    async with watched(session, 0.01) as reported:
        await asyncio.sleep(0.2)  # long enough for several errors
        await make_tables(database)
        async with opened_in(database) as keys:
            assert await reported.get() == (await keys.load(), await keys.admin())
        assert await channels(session) == ["gateway_keys"]
    assert caplog.messages == [
        f'cannot read {Address(database).name}: relation "gateway.secrets" does not exist; '
        "the credentials loaded before stay in force"
    ]


async def test_through_pgbouncer_credentials_are_changed_and_each_change_is_found_by_asking(
    clusters: Callable[[str], Cluster], key_database: str
) -> None:
    with bouncing(clusters("wheel"), default_pool_size="2") as bouncer:
        url = bouncer.url(urlsplit(key_database).path.removeprefix("/"))
        session = Session(Address(url), NAME)
        async with opened_in(url) as keys, watched(session, 0.01) as reported:
            assert await reported.get() == (await keys.load(), await keys.admin())
            old = await keys.add("shop", dialect, API_KEY, now=NOW)
            assert await reported.get() == (await keys.load(), await keys.admin())
            await asyncio.gather(*(add_in(url) for _ in range(6)))
            await keys.rotate(old.record.id, API_KEY, now=NOW)
            while await reported.get() != (await keys.load(), await keys.admin()):
                pass
            assert (session.is_pooled, await channels(session), len(await keys.list())) == (True, [], 8)


async def add_in(url: str) -> None:
    async with opened_in(url) as keys:
        await keys.add("shop", dialect, API_KEY, now=NOW)
