"""SQLite's Records: the synchronous readers of this folder, on the thread of one read-only connection. No SQL here."""

import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from gateway.datadir import DataDir, DataDirError
from gateway.dialect.outcome import Verdict
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
from gateway.storage.read import Position
from gateway.storage.records import CredentialUse, NewRows, RawEvents, held_number
from gateway.storage.sqlite.connection.database_thread import DatabaseThread
from gateway.storage.sqlite.read import buckets, event_receipts, quarantine, raw_requests, receipts, rejected
from gateway.storage.sqlite.read.groups import quarantine as held_groups
from gateway.storage.sqlite.read.groups import rejected as rejected_groups
from gateway.storage.sqlite.read.log import open_log
from gateway.storage.sqlite.read.reader import Reader

Result = TypeVar("Result")
STEP = 100
"""How many things an iterator reads in one hop to the thread."""
RAW_STEP = 20
"""The same of kept requests, which may be large."""


class SqliteRecords:
    """What a data directory has beside the log. See Records."""

    def __init__(self, directory: DataDir, thread: DatabaseThread, reader: Reader) -> None:
        self._directory = directory
        self._thread = thread
        self._reader = reader

    @classmethod
    async def open(cls, directory: DataDir) -> "SqliteRecords":
        """Open the files. Raises DataDirError if the directory has no log that can be read."""
        thread, version = await open_log(directory)
        try:
            reader = await thread.run(lambda connection: Reader(directory, (connection, version)))
        except BaseException:  # who asked may be gone
            await thread.close()
            raise
        return cls(directory, thread, reader)

    async def close(self) -> None:
        """Release the files."""
        await self._thread.close()

    async def quarantine(self, after: int = 0, project: str | None = None) -> AsyncIterator[dict[str, Any]]:
        """See Records."""
        async for row in self._each(partial(self._reader.quarantine, after, project), STEP):
            yield row

    async def new_quarantined(self, mark: object = None, most: int = 100) -> NewRows:
        """See Records."""
        last = mark if isinstance(mark, int) else None
        return await self._run(partial(quarantine.new_quarantined, self._reader, last, most))

    async def quarantine_record(self, number: int) -> QuarantineRecord | None:
        """See Records."""
        return await self._run(partial(quarantine.quarantine_record, self._reader, number))

    async def quarantine_groups(
        self, where: QuarantineFilter = EVERY_ITEM, before: int | None = None, most: int = GROUPED_ITEMS
    ) -> QuarantineGroups:
        """See Records."""
        return await self._run(partial(held_groups.groups, self._reader, where, before, most))

    async def quarantine_page(
        self, where: QuarantineFilter = EVERY_ITEM, before: int | None = None, most: int = PAGE
    ) -> Listed:
        """See Records."""
        return await self._run(partial(held_groups.page, self._reader, where, before, most))

    async def quarantine_bytes(self) -> int:
        """See Records."""
        return await self._run(partial(quarantine.total_bytes, self._reader))

    async def count_quarantined(self, after: int = 0, most: int = 5000) -> tuple[int, int | None]:
        """See Records."""
        return await self._run(partial(quarantine.count_items, self._reader, after, most))

    async def settled(self, number: int) -> str | None:
        """See Records."""
        return await self._run(partial(quarantine.settled, self._reader, number))

    async def receipt(self, receipt_id: str) -> dict[str, Any] | None:
        """See Records."""
        return await self._run(partial(receipts.facts, self._reader, receipt_id))

    async def receipt_of(self, position: Position) -> dict[str, Any] | None:
        """See Records."""
        return await self._run(partial(self._receipt_of, position))

    async def raw_of(self, receipt: Mapping[str, Any]) -> RawRequest | None:
        """See Records."""
        return await self._run(partial(self._raw_of, receipt))

    async def counters(self) -> list[tuple[str, str, str, int]]:
        """See Records."""
        found: Counter[tuple[str, str, str]] = Counter()
        for row in await self._run(self._reader.counters):
            project, dialect, verdict, count = (str(value) for value in row.values())
            # A file of an older gateway has the name from before 0.2.
            found[project, dialect, verdict.replace("refused", Verdict.REJECTED.value)] += int(count)
        return sorted([(*name, number) for name, number in found.items()])

    async def counter_buckets(
        self, span: int, since: int, project: str | None = None, dialect: str | None = None
    ) -> list[tuple[int, str, str, str, int]]:
        """See Records."""
        return await self._run(partial(buckets.counter_buckets, self._reader, span, since, project, dialect))

    async def stored_by_time(
        self, span: int, since: int, step: int, project: str | None = None
    ) -> list[tuple[int, str, int]]:
        """See Records."""
        return await self._run(partial(buckets.stored_by_time, self._reader, span, since, step, project))

    async def counts_by_project(
        self, span: int, since: int, before: int | None = None, project: str | None = None
    ) -> list[tuple[str, str, str, int]]:
        """See Records."""
        found: Counter[tuple[str, str, str]] = Counter()
        asked = (span, since, before, project)
        for owner, dialect, verdict, count in await self._run(partial(buckets.counts_by_project, self._reader, *asked)):
            found[owner, dialect, verdict] += count
        for owner, dialect, count in await self._run(partial(rejected.counts_by_project, self._directory, *asked)):
            found[owner, dialect, Verdict.REJECTED.value] += count
        return sorted([(owner, dialect, verdict, count) for (owner, dialect, verdict), count in found.items() if count])

    async def counted_since(self) -> int | None:
        """See Records."""
        return await self._run(partial(buckets.counted_since, self._reader))

    async def reader_lag(self) -> float | None:
        """See Records."""
        return None

    async def raw_events(self, project: str | None = None) -> AsyncIterator[RawEvents]:
        """See Records."""
        async for kept in self._each(partial(raw_requests.kept_requests, self._reader, project), RAW_STEP):
            yield kept

    async def rewrite(self, changes: Sequence[tuple[Position, bytes, bytes]]) -> int:
        """See Records."""
        return await self._run(partial(raw_requests.rewrite, self._directory.events, changes), "write to")

    async def rejected_requests(self, project: str | None = None) -> AsyncIterator[dict[str, Any]]:
        """See Records."""
        async for row in self._each(partial(rejected.rejected_requests, self._directory, project), STEP):
            yield row

    async def new_rejected(self, mark: object = None, most: int = 100) -> NewRows:
        """See Records."""
        last = mark if isinstance(mark, int) else None
        return await self._run(partial(rejected.new_rejected, self._directory, last, most))

    async def rejected_request(self, number: int) -> tuple[dict[str, Any], RawRequest] | None:
        """See Records."""
        return await self._run(partial(rejected.rejected_request, self._directory, number))

    async def rejected_groups(self, since: int | None = None) -> list[RejectedGroup]:
        """See Records."""
        return await self._run(partial(rejected_groups.groups, self._directory, since))

    async def rejected_page(
        self, where: RejectedFilter = EVERY_REJECTION, before: int | None = None, most: int = PAGE
    ) -> Listed:
        """See Records."""
        return await self._run(partial(rejected_groups.page, self._directory, where, before, most))

    async def rejected_counts(self) -> list[tuple[str, str, int]]:
        """See Records."""
        return await self._run(partial(rejected.counts, self._directory))

    async def rejected_buckets(self, span: int, since: int) -> list[tuple[int, str, str, int]]:
        """See Records."""
        return await self._run(partial(rejected.count_buckets, self._directory, span, since))

    async def credential_uses(self, day: int) -> dict[str, CredentialUse]:
        """See Records."""
        return await self._run(partial(rejected.credential_uses, self._directory, day))

    async def mark_rejected(self, number: int, how: str) -> None:
        """See Records."""
        await self._run(partial(rejected.mark, self._directory, number, how), "write to")

    def _receipt_of(self, position: Position) -> dict[str, Any] | None:
        found = event_receipts.receipt_id_of(self._reader, position)
        return None if found is None else receipts.facts(self._reader, found)

    def _raw_of(self, receipt: Mapping[str, Any]) -> RawRequest | None:
        raw = event_receipts.raw_request(self._reader, int(receipt["receipt"], 16))
        number = held_number(receipt)
        if raw is not None or number is None:
            return raw
        record = quarantine.quarantine_record(self._reader, number)
        return None if record is None else record.raw

    async def _each(self, begin: Callable[[], Iterator[Result]], step: int) -> AsyncIterator[Result]:
        """Yield what an iterator does. It runs on the thread, some things at a time."""
        things = begin()
        while some := await self._run(lambda: list(islice(things, step))):
            for thing in some:
                yield thing

    async def _run(self, question: Callable[[], Result], doing: str = "read") -> Result:
        try:
            return await self._thread.run(lambda _: question())
        except sqlite3.Error as error:
            raise DataDirError(f"cannot {doing} {self._directory.path}: {error}") from error
