"""A database as the target of a move. A lock keeps a second move out all the time."""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from gateway.storage.contract import Blob
from gateway.storage.moving import LogBatch, Row
from gateway.storage.postgres.connection.address import Address
from gateway.storage.postgres.connection.session import Connection, Session
from gateway.storage.postgres.moving import table_rows
from gateway.storage.postgres.moving.log_rows import LogRows
from gateway.storage.postgres.moving.long_transaction import LONG_SECONDS, held, in_one_line
from gateway.storage.postgres.read.log import PostgresLogReader
from gateway.storage.postgres.tables import LOCK, upgrade
from gateway.storage.postgres.write import blobs
from gateway.storage.read import LogReader
from gateway.store_error import StoreError

MOVE_LOCK = 0x6761_7465_6D6F_7665  # "gatemove": the advisory lock of a move into this database
WRITE_SECONDS = 600.0
"""How long one step may take: rows of a table, or what follows from all of them."""
PROGRESS = "SELECT progress FROM gateway.moves"
SAVE = (
    "INSERT INTO gateway.moves (progress) VALUES ($1) ON CONFLICT (single) DO UPDATE SET progress = excluded.progress"
)
HOLDS = (
    "SELECT EXISTS (SELECT 1 FROM gateway.events) OR EXISTS (SELECT 1 FROM gateway.receipts) "
    "OR EXISTS (SELECT 1 FROM gateway.credentials) OR EXISTS (SELECT 1 FROM gateway.counters) "
    "OR EXISTS (SELECT 1 FROM gateway.rejected) OR EXISTS (SELECT 1 FROM gateway.gateways)"
)


class PostgresTarget:
    """See MoveTarget."""

    def __init__(self, session: Session, reading: Session, log: LogRows) -> None:
        self.name = session.address.name
        self._session = session
        self._reading = reading
        self._log = log

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(cls, address: Address) -> AsyncIterator["PostgresTarget"]:
        """Connect, and make the tables if they are missing. Raises StoreError."""
        session = Session(address, "gateway move", seconds=WRITE_SECONDS)
        lock = Session(address, "gateway move lock", seconds=LONG_SECONDS)
        reading = Session(address, "gateway move reader")
        try:
            with in_one_line("write", address.name):
                await upgrade(session)
            async with held(lock) as db:
                with in_one_line("write", address.name):
                    if not await db.fetchval(f"SELECT pg_try_advisory_xact_lock({MOVE_LOCK})"):
                        raise StoreError(f"another move into {address.name} is running")
                    log = await LogRows.load(db)
                yield cls(session, reading, log)
        finally:
            for each in (session, lock, reading):
                await each.close()

    @property
    def reader(self) -> LogReader:
        """See MoveTarget. A new one each time: a reader remembers the days that are over, but a move adds to them."""
        return PostgresLogReader(self._reading)

    async def begin(self, progress: Mapping[str, Any]) -> dict[str, Any]:
        """See MoveTarget."""
        async with self._writing() as db:
            await db.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
            found = await db.fetchval(PROGRESS)
            if found is not None:
                return dict(json.loads(found))
            if await db.fetchval(HOLDS):
                raise StoreError(
                    f"{self.name} is not empty: only a new database is filled from another store or a backup"
                )
            await db.execute(SAVE, json.dumps(progress))
        return dict(progress)

    async def save(self, progress: Mapping[str, Any]) -> None:
        """See MoveTarget."""
        async with self._writing() as db:
            await db.execute(SAVE, json.dumps(progress))

    async def append(self, batch: LogBatch, progress: Mapping[str, Any]) -> None:
        """See MoveTarget."""
        with in_one_line("write", self.name):
            await self._log.make_days(self._session, batch)
        async with self._writing() as db:
            await self._log.write(db, batch)
            await db.execute(SAVE, json.dumps(progress))

    async def keep_blob(self, project: str, name: str, content: bytes) -> None:
        """See MoveTarget."""
        async with self._writing() as db:
            await blobs.keep(db, [(project, Blob(name, content))])

    async def clear(self, table: str) -> None:
        """See MoveTarget."""
        async with self._writing() as db:
            await table_rows.clear(db, table)

    async def add(self, table: str, rows: Sequence[Row]) -> None:
        """See MoveTarget."""
        async with self._writing() as db:
            await table_rows.add(db, table, rows)

    async def complete(self) -> None:
        """See MoveTarget."""
        async with self._writing() as db:
            await table_rows.complete(db)

    async def count(self, table: str) -> int:
        """See MoveTarget."""
        named = {"quarantine": "quarantined_requests"}.get(table, table)
        async with self._writing() as db:
            return int(await db.fetchval(f"SELECT count(*) FROM gateway.{named}"))

    @contextlib.asynccontextmanager
    async def _writing(self) -> AsyncIterator[Connection]:
        with in_one_line("write", self.name):
            async with self._session.transaction() as db:
                await db.execute(f"SET LOCAL statement_timeout = {int(WRITE_SECONDS * 1000)}")
                yield db
