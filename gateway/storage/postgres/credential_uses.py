"""Writes the uses of credentials into the database: a row for each credential and day, for all gateways."""

from collections.abc import Sequence

from gateway.records.use_log import KEPT_DAYS, DayOfUse
from gateway.storage.postgres.connection.errors import EXPECTED, reason
from gateway.storage.postgres.connection.session import Session
from gateway.store_error import StoreError

# The rows of a process are sorted, so that two gateways that write the same rows wait, and do not deadlock.
ADD = (
    "INSERT INTO gateway.credential_uses AS known (project, credential, day, requests, rejected, last_used) "
    "SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[]) "
    "ORDER BY 1, 2, 3 "
    "ON CONFLICT (project, credential, day) DO UPDATE SET requests = known.requests + excluded.requests, "
    "rejected = known.rejected + excluded.rejected, last_used = greatest(known.last_used, excluded.last_used)"
)
FORGET = (
    "DELETE FROM gateway.credential_uses AS old WHERE day < $1 AND EXISTS (SELECT 1 FROM gateway.credential_uses AS "
    "newer WHERE newer.project = old.project AND newer.credential = old.credential AND newer.day > old.day)"
)


class PostgresUses:
    """See UseWriter."""

    expected: tuple[type[Exception], ...] = (StoreError,)

    def __init__(self, session: Session) -> None:
        self.name = f"the uses of credentials to {session.address.name}"
        self._session = session
        self._newest_day = 0

    async def close(self) -> None:
        """See UseWriter."""
        await self._session.close()

    async def write(self, uses: Sequence[DayOfUse]) -> None:
        """See UseWriter. Raises StoreError."""
        newest = max(use.day for use in uses)
        rows = [(use.project, use.credential_id, use.day, use.requests, use.rejected, use.last_used) for use in uses]
        try:
            async with self._session.transaction() as db:
                await db.execute(ADD, *zip(*rows, strict=True))
            if newest > self._newest_day:
                async with self._session.transaction() as db:
                    await db.execute(FORGET, newest - KEPT_DAYS)
                self._newest_day = newest
        except EXPECTED as error:
            raise StoreError(reason(error)) from error
