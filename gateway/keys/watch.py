"""Follows keys.db while a server runs, so that a new key works and a revoked one stops within a second."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

import aiosqlite

from gateway import sqlite_file
from gateway.keys import tables
from gateway.keys.keyring import Keyring
from gateway.keys.tables import BUSY_SECONDS, CREDENTIALS, SECRETS, Admin

log = logging.getLogger(__name__)


async def watch(path: Path, hand_over: Callable[[Keyring, Admin], None], every: float = 1.0) -> None:
    """Hand over the credentials and the admin token now and whenever they changed; runs until it is cancelled.

    Looks every so many seconds, on a thread. While the file cannot be read, what was handed over stays good.
    """
    address = sqlite_file.uri(path, "rw")
    trouble = None
    while True:
        try:
            async with aiosqlite.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None) as connection:
                trouble = None
                await _follow(connection, hand_over, every)
        except sqlite3.Error as error:
            if str(error) != trouble:
                log.warning("cannot read %s: %s; credentials stay as they were", path, error)
            trouble = str(error)
        await asyncio.sleep(every)


async def _follow(connection: aiosqlite.Connection, hand_over: Callable[[Keyring, Admin], None], every: float) -> None:
    seen = None
    while True:
        # Read before the rows: what is written in between is then seen as a change the next time.
        ((version,),) = await connection.execute_fetchall("PRAGMA data_version")
        if version != seen:
            kept = dict([tuple(pair) for pair in await connection.execute_fetchall(SECRETS)])
            rows = await connection.execute_fetchall(CREDENTIALS.format(where=""))
            hand_over(tables.keyring(kept["salt"], rows), Admin(kept["salt"], kept.get("admin")))
            seen = version
        await asyncio.sleep(every)
