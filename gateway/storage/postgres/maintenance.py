"""What a serving gateway does beside its commits: signs of life, partitions ahead, forgetting, looking for trouble."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator

from gateway.storage import buckets
from gateway.storage.postgres.connection.errors import EXPECTED, reason
from gateway.storage.postgres.connection.session import Session
from gateway.storage.postgres.engine import PostgresEngine
from gateway.storage.postgres.partitions import NOW, make_days, turn_over
from gateway.storage.postgres.read.horizon import find_holder
from gateway.storage.postgres.retention import Keeping, Retention

SIGN_SECONDS = 10.0
EVERY = 6
"""After so many signs of life comes the rest."""
DELETE_SECONDS = 2.0
"""For how long expired rows are deleted between two signs of life, where projects' times differ."""
MOST_BUCKETS = 10_000
"""Rows of expired counters that are deleted at once."""
LAG_SECONDS = 60.0
"""How old a transaction may be before the log says that readers wait for it."""
EXPIRED = (
    "DELETE FROM gateway.counter_buckets WHERE ctid IN "
    "(SELECT ctid FROM gateway.counter_buckets WHERE span = $1 AND start <= $2 LIMIT $3 FOR UPDATE SKIP LOCKED)"
)
"""It never waits for a group that adds to such rows, which would wait for it: they go the next time."""
log = logging.getLogger(__name__)


class Maintenance:
    """Keeps the tables of one database in order. Several gateways may do so: each step takes the same lock."""

    def __init__(
        self, engine: PostgresEngine, session: Session, keeping: Keeping, *, lag_seconds: float = LAG_SECONDS
    ) -> None:
        self._engine = engine
        self._session = session
        self._window = keeping.window
        self._retention = Retention(keeping)
        self._lag_seconds = lag_seconds
        self._holder: int | None = None
        self._held_since = 0.0
        self._is_told = False
        self._last_error = ""

    def renew(self, keeping: Keeping) -> None:
        """Follow other settings from the next step on."""
        self._window, self._retention = keeping.window, Retention(keeping)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep them in order in the background during the block."""
        task = asyncio.get_running_loop().create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self) -> None:
        for turn in range(1 << 62):
            try:
                async with self._session.transaction() as db:
                    await self._engine.gateway.seen(db)
                if turn % EVERY == 0:
                    await self.step()
                await self._retention.delete(self._session, DELETE_SECONDS)
                self._last_error = ""
            except EXPECTED as error:
                if reason(error) != self._last_error:
                    log.warning("the tables cannot be kept in order now: %s", reason(error))
                self._last_error = reason(error)
            except Exception:
                log.exception("a bug: the tables were not kept in order")
            await asyncio.sleep(SIGN_SECONDS)

    async def step(self) -> None:
        """Make coming partitions, and forget what has expired. Raises one of EXPECTED."""
        async with self._session.transaction() as db:
            await make_days(db)
        async with self._session.transaction() as db:
            await turn_over(db, self._window)
        async with self._session.transaction() as db:
            now = await db.fetchval(NOW)
            gone = await self._retention.forget(db)
            for span in buckets.KEPT:
                before = buckets.expired_before(span, now // 1000)
                await db.execute(EXPIRED, span, before, MOST_BUCKETS)
        if gone:
            log.info("forgotten: %s", ", ".join(gone))
        await self._engine.look_at_days(self._session)
        await self._look_for_holders()

    async def _look_for_holders(self) -> None:
        """Say once of a transaction that it keeps all readers from going on."""
        async with self._session.transaction(readonly=True) as db:
            holder = await find_holder(db)
        now = time.monotonic()
        if holder is None or holder.pid != self._holder:
            self._holder, self._held_since, self._is_told = None if holder is None else holder.pid, now, False
        if holder is None or self._is_told:
            return
        # Another role's time may not be seen; then what counts is how long this process has seen it.
        seconds = max(holder.seconds or 0.0, now - self._held_since)
        if seconds >= self._lag_seconds:
            self._is_told = True
            log.warning("readers of events are %d seconds behind: %s", seconds, holder.describe())
