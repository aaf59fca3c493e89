"""SQLite's Records: the synchronous readers of this folder, on the thread of one read-only connection. No SQL here."""

import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from gateway.datadir import DataDir, DataDirError
from gateway.dialect.outcome import Verdict
from gateway.records.raw_request import RawRequest
from gateway.storage.read import Position
from gateway.storage.records import QuarantineRecord, RawEvents
from gateway.storage.sqlite.connection.database_thread import DatabaseThread
from gateway.storage.sqlite.read import buckets, quarantine, raw_requests, receipts, rejected
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
        reader = await thread.run(lambda connection: Reader(directory, (connection, version)))
        return cls(directory, thread, reader)

    async def close(self) -> None:
        """Release the files."""
        await self._thread.close()

    async def quarantine(self, after: int = 0, project: str | None = None) -> AsyncIterator[dict[str, Any]]:
        """See Records."""
        async for row in self._each(partial(self._reader.quarantine, after, project), STEP):
            yield row

    async def quarantine_record(self, number: int) -> QuarantineRecord | None:
        """See Records."""
        return await self._run(partial(quarantine.quarantine_record, self._reader, number))

    async def settled(self, number: int) -> str | None:
        """See Records."""
        return await self._run(partial(quarantine.settled, self._reader, number))

    async def receipt(self, receipt_id: str) -> dict[str, Any] | None:
        """See Records."""
        return await self._run(partial(receipts.facts, self._reader, receipt_id))

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

    async def rejected_request(self, number: int) -> tuple[dict[str, Any], RawRequest] | None:
        """See Records."""
        return await self._run(partial(rejected.rejected_request, self._directory, number))

    async def rejected_counts(self) -> list[tuple[str, str, int]]:
        """See Records."""
        return await self._run(partial(rejected.counts, self._directory))

    async def rejected_buckets(self, span: int, since: int) -> list[tuple[int, str, str, int]]:
        """See Records."""
        return await self._run(partial(rejected.count_buckets, self._directory, span, since))

    async def mark_rejected(self, number: int, how: str) -> None:
        """See Records."""
        await self._run(partial(rejected.mark, self._directory, number, how), "write to")

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
