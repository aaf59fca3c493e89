"""Watches the credentials in the database, so that a change made anywhere works at each gateway within two seconds."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from gateway.keys.admin import Admin
from gateway.keys.credential import KeyFileError
from gateway.keys.keyring import Keyring
from gateway.storage.postgres.connection.errors import EXPECTED, reason
from gateway.storage.postgres.connection.session import Connection, Session
from gateway.storage.postgres.keys import tables

REST_SECONDS = 0.2
"""The least time between two readings: a script that adds thousands of credentials tells of each one."""
log = logging.getLogger(__name__)


async def watch(session: Session, on_change: Callable[[Keyring, Admin], None], every: float = 1.0) -> None:
    """Call `on_change` with the credentials and the admin token, now and after each change. Runs until cancelled.

    The session is the watcher's own; its caller closes it. The database tells of each change (LISTEN), and is asked
    every `every` seconds all the same: a message is lost with its connection, and a pool of connections such as
    PgBouncer passes none on. While the database cannot be read, `on_change` is not called: what was loaded before stays
    in force, and the log says why.
    """
    last_version: bytes | None = None
    last_error: str | None = None
    listening: Connection | None = None
    woken = asyncio.Event()
    while True:
        woken.clear()
        try:
            if await session.connection() is not listening and not session.is_pooled:
                # In a transaction of its own: asyncpg remembers it even if a later statement undoes it.
                async with session.transaction(readonly=True) as connection:
                    await connection.add_listener(tables.CHANNEL, lambda *_: woken.set())
                listening = connection
            async with session.transaction(readonly=True) as connection:
                # Read before the rows, so that a change in between is a change the next time.
                secrets = tables.to_secrets(await connection.fetch(tables.SELECT_SECRETS))
                changed = secrets["version"] != last_version
                rows = await connection.fetch(tables.SELECT) if changed else []
        except (*EXPECTED, KeyFileError) as error:
            if (why := reason(error)) != last_error:
                name = session.address.name
                log.warning("cannot read %s: %s; the credentials loaded before stay in force", name, why)
            last_error = why
        else:
            last_error = None
            if changed:
                stored = tables.to_stored(secrets, rows)
                on_change(stored.keyring(), stored.admin)
                last_version = secrets["version"]
        await asyncio.sleep(min(every, REST_SECONDS))
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(woken.wait(), every)
