"""A database as the source of a move: only read, beside the gateways that may run on it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from gateway.storage.moving import Cursor, LogBatch, Row
from gateway.storage.postgres.connection.address import Address
from gateway.storage.postgres.connection.session import Connection, Session
from gateway.storage.postgres.gateways import LOST_AFTER
from gateway.storage.postgres.moving.batches import next_batch
from gateway.storage.postgres.moving.long_transaction import LONG_SECONDS, held, in_one_line
from gateway.storage.postgres.moving.rows import next_keys, pages
from gateway.storage.postgres.read.days import Days
from gateway.storage.postgres.read.horizon import HORIZON, find_holder
from gateway.storage.postgres.read.log import PostgresLogReader
from gateway.storage.postgres.tables import LOCK, check
from gateway.storage.read import LogReader
from gateway.store_error import StoreError

STATEMENT_SECONDS = 3600
PAUSE = 0.2
HOLDER_SECONDS = 30.0
"""How long to wait, once no gateway runs, for a transaction of somebody else that is still open."""
LIVE = f"SELECT count(*) FROM gateway.gateways WHERE seen_at > now() - interval '{LOST_AFTER} seconds'"
DAMAGE = {
    "SELECT count(*) FROM gateway.claims WHERE outcomes IS NULL": "idempotency keys without an answer",
    "SELECT count(*) FROM gateway.quarantined_requests WHERE remaining <= 0": "requests without items in quarantine",
    "SELECT count(*) FROM gateway.rejected WHERE size < 0": "rejected requests without a size",
}
RUNNING = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
END = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint + xid_offset FROM gateway.state"
NEXT = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"


class PostgresSource:
    """See MoveSource. A cursor is the number of a transaction in a list: `[xid]`; a mark is one without the offset."""

    def __init__(self, address: Address) -> None:
        self.name = address.name
        self._address = address
        self._session = Session(address, "gateway move", seconds=LONG_SECONDS)
        self.reader: LogReader = PostgresLogReader(Session(address, "gateway move reader"))
        self._days = Days()
        self._snapshot: Connection | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(cls, address: Address) -> AsyncIterator["PostgresSource"]:
        """Connect. Raises StoreError."""
        source = cls(address)
        try:
            async with source._reading() as db:
                await check(db, address.name)
            yield source
        finally:
            await source.reader.close()
            await source._session.close()

    async def identity(self) -> str:
        """See MoveSource."""
        async with self._reading() as db:
            return str(await db.fetchval("SELECT identity FROM gateway.state"))

    async def end(self) -> Cursor:
        """See MoveSource."""
        async with self._reading() as db:
            return [await db.fetchval(f"SELECT {HORIZON}")]

    async def mark(self) -> Cursor:
        """See MoveSource."""
        async with self._reading() as db:
            return [await db.fetchval(RUNNING)]

    async def log(self, after: Cursor, until: Cursor, mark: Cursor) -> AsyncIterator[LogBatch]:
        """See MoveSource."""
        if self._snapshot is not None:  # one connection, which whoever takes a batch may need
            while (batch := await self._batch(after, until)) is not None:
                after = batch.cursor
                yield batch
            return
        task = asyncio.ensure_future(self._batch(after, until))
        try:
            # The next batch is read while the target writes this one.
            while (batch := await task) is not None:
                task = asyncio.ensure_future(self._batch(batch.cursor, until))
                yield batch
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _batch(self, after: Cursor, until: Cursor) -> LogBatch | None:
        async with self._reading() as db:
            return await next_batch(db, self._days, after, until)

    async def rows(self, table: str, since: Cursor | None = None) -> AsyncIterator[list[Row]]:
        """See MoveSource."""
        if table == "keys" and since is None and self._snapshot is None:
            page: list[Row] = [("", b"")]
            while page:
                async with self._reading() as db:
                    page = await next_keys(db, page[-1])
                yield page
            return
        async with self._reading() as db:
            async for page in pages(db, table, since):
                yield page

    async def damage(self) -> AsyncIterator[str]:
        """See MoveSource. PostgreSQL has a tool of its own for its files; here is what no commit leaves behind."""
        for statement, text in DAMAGE.items():
            async with self._reading() as db:
                await db.execute("SET LOCAL enable_seqscan = on")
                count = await db.fetchval(statement)
            if count:
                yield f"{text}: {count}"

    async def blob(self, project: str, name: str) -> bytes | None:
        """See MoveSource."""
        statement = "SELECT content FROM gateway.blobs WHERE name = $2 AND project IN ($1, '') LIMIT 1"
        async with self._reading() as db:
            content: bytes | None = await db.fetchval(statement, project, name)
        return content

    @contextlib.asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Cursor]:
        """See MoveSource. In one snapshot nothing is missed beyond the horizon: all that it sees is taken."""
        async with self._reading() as db:
            end = await db.fetchval(END)
            self._snapshot = db
            try:
                yield [end]
            finally:
                self._snapshot = None

    async def is_served(self) -> bool:
        """See MoveSource."""
        async with self._reading() as db:
            return bool(await db.fetchval(LIVE))

    @contextlib.asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """See MoveSource. A gateway that was killed counts as running for LOST_AFTER seconds."""
        session = Session(self._address, "gateway move lock", seconds=LONG_SECONDS)
        try:
            while True:
                async with held(session) as db:
                    # No gateway gets its number beside this lock.
                    with in_one_line("read", self.name):
                        await db.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
                        is_served = await db.fetchval(LIVE)
                    if not is_served:
                        await self._wait_for_others()
                        yield
                        return
                await asyncio.sleep(PAUSE)
        finally:
            await session.close()

    async def _wait_for_others(self) -> None:
        """Wait until readers see all that has been written. Raises StoreError if somebody keeps them from it."""
        async with self._reading() as db:
            last = await db.fetchval(NEXT)
        deadline = asyncio.get_running_loop().time() + HOLDER_SECONDS
        while True:
            async with self._reading() as db:
                if await db.fetchval(RUNNING) >= last:
                    return
                holder = await find_holder(db)
            if asyncio.get_running_loop().time() > deadline:
                who = "another one" if holder is None else f"process {holder.pid} ({holder.application or 'unnamed'})"
                raise StoreError(f"{who} has a transaction open in the database of {self.name}; end it and try again")
            await asyncio.sleep(PAUSE)

    @contextlib.asynccontextmanager
    async def _reading(self) -> AsyncIterator[Connection]:
        if self._snapshot is not None:
            with in_one_line("read", self.name):
                yield self._snapshot
            return
        with in_one_line("read", self.name):
            async with self._session.transaction(readonly=True) as db:
                await db.execute(
                    f"SET LOCAL statement_timeout = {STATEMENT_SECONDS * 1000}; "
                    "SET LOCAL idle_in_transaction_session_timeout = 0"
                )
                yield db
