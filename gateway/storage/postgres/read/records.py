"""PostgreSQL's Records: all that operators ask beside the log, over one connection."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from gateway.records.raw_request import RawRequest
from gateway.storage.postgres.connection.session import Session
from gateway.storage.postgres.read import counters, quarantine, raw_requests, receipts, rejected
from gateway.storage.postgres.read.horizon import find_holder
from gateway.storage.postgres.read.reader import Reader
from gateway.storage.postgres.write import rewrite
from gateway.storage.read import Position
from gateway.storage.records import QuarantineRecord, RawEvents


class PostgresRecords:
    """What is committed to a database. See Records."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._reader = Reader(session)
        self._quarantine = quarantine.QuarantineReader(self._reader)

    def quarantine(self, after: int = 0, project: str | None = None) -> AsyncIterator[dict[str, Any]]:
        """See Records."""
        return quarantine.quarantine(self._reader, after, project)

    async def quarantine_record(self, number: int) -> QuarantineRecord | None:
        """See Records."""
        return await self._quarantine.record(number)

    async def settled(self, number: int) -> str | None:
        """See Records."""
        return await quarantine.settled(self._reader, number)

    async def receipt(self, receipt_id: str) -> dict[str, Any] | None:
        """See Records."""
        return await receipts.receipt(self._reader, self._quarantine, receipt_id)

    async def counters(self) -> list[tuple[str, str, str, int]]:
        """See Records."""
        return await counters.counters(self._reader)

    async def counter_buckets(
        self, span: int, since: int, project: str | None = None, dialect: str | None = None
    ) -> list[tuple[int, str, str, str, int]]:
        """See Records."""
        return await counters.counter_buckets(self._reader, span, since, project, dialect)

    async def counted_since(self) -> int | None:
        """See Records. There always were counters by time, but perhaps not in the store that was moved here."""
        [(since,)] = await self._reader.query("SELECT counted_since FROM gateway.state")
        return None if since is None else int(since)

    async def reader_lag(self) -> float | None:
        """See Records."""
        async with self._reader.transaction() as db:
            holder = await find_holder(db)
        return 0.0 if holder is None else holder.seconds or 0.0

    def raw_events(self, project: str | None = None) -> AsyncIterator[RawEvents]:
        """See Records."""
        return raw_requests.raw_events(self._reader, project)

    async def rewrite(self, changes: Sequence[tuple[Position, bytes, bytes]]) -> int:
        """See Records."""
        return await rewrite.rewrite(self._session, changes)

    def rejected_requests(self, project: str | None = None) -> AsyncIterator[dict[str, Any]]:
        """See Records."""
        return rejected.rejected_requests(self._reader, project)

    async def rejected_request(self, number: int) -> tuple[dict[str, Any], RawRequest] | None:
        """See Records."""
        return await rejected.rejected_request(self._reader, number)

    async def rejected_counts(self) -> list[tuple[str, str, int]]:
        """See Records."""
        return await counters.rejected_counts(self._reader)

    async def rejected_buckets(self, span: int, since: int) -> list[tuple[int, str, str, int]]:
        """See Records."""
        return await counters.rejected_buckets(self._reader, span, since)

    async def mark_rejected(self, number: int, how: str) -> None:
        """See Records."""
        await rejected.mark_rejected(self._session, number, how)
