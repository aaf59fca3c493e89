"""PostgreSQL's Records: all that operators ask beside the log, over one connection."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from gateway.records.raw_request import RawRequest
from gateway.storage.held.groups import (
    EVERY_ITEM,
    EVERY_REJECTION,
    GROUPED_ITEMS,
    PAGE,
    Listed,
    QuarantineFilter,
    QuarantineGroups,
    RejectedFilter,
    RejectedGroup,
)
from gateway.storage.held.record import QuarantineRecord
from gateway.storage.postgres.connection.session import Session
from gateway.storage.postgres.read import (
    arrivals,
    counters,
    event_receipts,
    quarantine,
    raw_requests,
    receipts,
    rejected,
)
from gateway.storage.postgres.read.groups import quarantine as held_groups
from gateway.storage.postgres.read.groups import rejected as rejected_groups
from gateway.storage.postgres.read.horizon import find_holder
from gateway.storage.postgres.read.reader import Reader
from gateway.storage.postgres.write import rewrite
from gateway.storage.read import Position
from gateway.storage.records import CredentialUse, NewRows, RawEvents, held_number


class PostgresRecords:
    """What is committed to a database. See Records."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._reader = Reader(session)
        self._quarantine = quarantine.QuarantineReader(self._reader)

    def quarantine(self, after: int = 0, project: str | None = None) -> AsyncIterator[dict[str, Any]]:
        """See Records."""
        return quarantine.quarantine(self._reader, after, project)

    async def new_quarantined(self, mark: object = None, most: int = 100) -> NewRows:
        """See Records."""
        return await arrivals.new_quarantined(self._reader, mark, most)

    async def quarantine_record(self, number: int) -> QuarantineRecord | None:
        """See Records."""
        return await self._quarantine.record(number)

    async def quarantine_groups(
        self, where: QuarantineFilter = EVERY_ITEM, before: int | None = None, most: int = GROUPED_ITEMS
    ) -> QuarantineGroups:
        """See Records."""
        return await held_groups.groups(self._reader, where, before, most)

    async def quarantine_page(
        self, where: QuarantineFilter = EVERY_ITEM, before: int | None = None, most: int = PAGE
    ) -> Listed:
        """See Records."""
        return await held_groups.page(self._reader, where, before, most)

    async def quarantine_bytes(self) -> int:
        """See Records."""
        return await quarantine.total_bytes(self._reader)

    async def count_quarantined(self, after: int = 0, most: int = 5000) -> tuple[int, int | None]:
        """See Records."""
        return await quarantine.count_items(self._reader, after, most)

    async def settled(self, number: int) -> str | None:
        """See Records."""
        return await quarantine.settled(self._reader, number)

    async def receipt(self, receipt_id: str) -> dict[str, Any] | None:
        """See Records."""
        return await receipts.receipt(self._reader, self._quarantine, receipt_id)

    async def receipt_of(self, position: Position) -> dict[str, Any] | None:
        """See Records."""
        found = await event_receipts.receipt_id_of(self._reader, position)
        return None if found is None else await self.receipt(found)

    async def raw_of(self, receipt: Mapping[str, Any]) -> RawRequest | None:
        """See Records."""
        raw = await event_receipts.raw_request(self._reader, receipt["project"], int(receipt["receipt"], 16))
        number = held_number(receipt)
        if raw is not None or number is None:
            return raw
        record = await self._quarantine.record(number)
        return None if record is None else record.raw

    async def counters(self) -> list[tuple[str, str, str, int]]:
        """See Records."""
        return await counters.counters(self._reader)

    async def counter_buckets(
        self, span: int, since: int, project: str | None = None, dialect: str | None = None
    ) -> list[tuple[int, str, str, str, int]]:
        """See Records."""
        return await counters.counter_buckets(self._reader, span, since, project, dialect)

    async def stored_by_time(
        self, span: int, since: int, step: int, project: str | None = None
    ) -> list[tuple[int, str, int]]:
        """See Records."""
        return await counters.stored_by_time(self._reader, span, since, step, project)

    async def counts_by_project(
        self, span: int, since: int, before: int | None = None, project: str | None = None
    ) -> list[tuple[str, str, str, int]]:
        """See Records."""
        return await counters.counts_by_project(self._reader, span, since, before, project)

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

    async def new_rejected(self, mark: object = None, most: int = 100) -> NewRows:
        """See Records."""
        return await arrivals.new_rejected(self._reader, mark, most)

    async def rejected_request(self, number: int) -> tuple[dict[str, Any], RawRequest] | None:
        """See Records."""
        return await rejected.rejected_request(self._reader, number)

    async def rejected_groups(self, since: int | None = None) -> list[RejectedGroup]:
        """See Records."""
        return await rejected_groups.groups(self._reader, since)

    async def rejected_page(
        self, where: RejectedFilter = EVERY_REJECTION, before: int | None = None, most: int = PAGE
    ) -> Listed:
        """See Records."""
        return await rejected_groups.page(self._reader, where, before, most)

    async def rejected_counts(self) -> list[tuple[str, str, int]]:
        """See Records."""
        return await counters.rejected_counts(self._reader)

    async def rejected_buckets(self, span: int, since: int) -> list[tuple[int, str, str, int]]:
        """See Records."""
        return await counters.rejected_buckets(self._reader, span, since)

    async def credential_uses(self, day: int) -> dict[str, CredentialUse]:
        """See Records."""
        return await counters.credential_uses(self._reader, day)

    async def mark_rejected(self, number: int, how: str) -> None:
        """See Records."""
        await rejected.mark_rejected(self._session, number, how)
