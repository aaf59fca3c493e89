"""Watches keys.db while a server runs, so that a new key works, and a revoked one stops working, within a second."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

import aiosqlite

from gateway.keys.admin import Admin
from gateway.keys.keyring import Keyring
from gateway.storage.sqlite.connection import sqlite_file
from gateway.storage.sqlite.connection.database_thread import connected
from gateway.storage.sqlite.keys import tables
from gateway.storage.sqlite.keys.tables import BUSY_SECONDS, SELECT_SECRETS

log = logging.getLogger(__name__)


async def watch(path: Path, on_change: Callable[[Keyring, Admin], None], every: float = 1.0) -> None:
    """Call `on_change` with the credentials and the admin token, now and after each change. Runs until cancelled.

    The file is polled on a thread, every `every` seconds. While it cannot be read, `on_change` is not called: what was
    loaded before stays in force, and the log says why. A file that takes the place of the first one is read like a
    change; while there is none, nothing changes.
    """
    uri = sqlite_file.uri(path, "rw")
    last_error = None
    while True:
        opened = _identity(path)
        try:
            connection = await connected(aiosqlite.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None))
            try:
                last_error = None
                await _poll(connection, on_change, every, partial(_is_current, path, opened))
            finally:
                await connection.close()
        except sqlite3.Error as error:
            if str(error) != last_error:
                log.warning("cannot read %s: %s; the credentials loaded before stay in force", path, error)
            last_error = str(error)
        await asyncio.sleep(every)


async def _poll(
    connection: aiosqlite.Connection,
    on_change: Callable[[Keyring, Admin], None],
    every: float,
    is_current: Callable[[], bool],
) -> None:
    """Report each change until another file stands in the place of the one that is open."""
    last_version = None
    while is_current():
        # Read before the rows, so that a write in between is a change the next time.
        ((version,),) = await connection.execute_fetchall("PRAGMA data_version")
        if version != last_version:
            secrets = [(name, value) for name, value in await connection.execute_fetchall(SELECT_SECRETS)]
            # A file that an older gateway wrote may have taken the place of this one's.
            ((schema,),) = await connection.execute_fetchall("PRAGMA user_version")
            stored = tables.to_stored(secrets, await connection.execute_fetchall(tables.select(schema)))
            on_change(stored.keyring(), stored.admin)
            last_version = version
        await asyncio.sleep(every)


def _is_current(path: Path, opened: tuple[int, int] | None) -> bool:
    return _identity(path) in (None, opened)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
