"""Writes the uses of credentials, into the file of rejected requests: each process that answers writes there anyhow."""

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from gateway.records.use_log import KEPT_DAYS, DayOfUse, UseLog
from gateway.storage.sqlite import rejected_file
from gateway.storage.sqlite.connection import sqlite_file

ADD = (
    "INSERT INTO credential_uses (project, credential, day, requests, rejected, last_used) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (project, credential, day) DO UPDATE SET requests = requests + excluded.requests, "
    "rejected = rejected + excluded.rejected, last_used = max(last_used, excluded.last_used)"
)
FORGET = (
    "DELETE FROM credential_uses WHERE day < ? AND EXISTS (SELECT 1 FROM credential_uses AS newer "
    "WHERE newer.project = credential_uses.project AND newer.credential = credential_uses.credential "
    "AND newer.day > credential_uses.day)"
)


class SqliteUses:
    """See UseWriter."""

    expected: tuple[type[Exception], ...] = (sqlite3.Error,)

    def __init__(self, path: Path) -> None:
        self.name = f"the uses of credentials to {path}"
        self._path = path
        self._newest_day = 0

    async def write(self, uses: Sequence[DayOfUse]) -> None:
        """See UseWriter. Raises OSError and sqlite3.Error."""
        await asyncio.to_thread(self._write, uses)

    async def close(self) -> None:
        """See UseWriter. The file is closed after each write."""

    def _write(self, uses: Sequence[DayOfUse]) -> None:
        newest = max(use.day for use in uses)
        with rejected_file.written(self._path) as connection, sqlite_file.transaction(connection):
            connection.executemany(
                ADD,
                [(use.project, use.credential_id, use.day, use.requests, use.rejected, use.last_used) for use in uses],
            )
            if newest > self._newest_day:
                connection.execute(FORGET, (newest - KEPT_DAYS,))
        self._newest_day = max(newest, self._newest_day)


def use_log(path: Path) -> UseLog:
    """Return what counts uses, and writes them into the file of rejected requests."""
    return UseLog(SqliteUses(path))
