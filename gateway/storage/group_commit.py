"""Group commit: many appends, one fsync. No SQL, and no timer: while one commit runs, the next group forms."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

import attrs

from gateway.dialect.outcome import StorageUnavailable, Verdict
from gateway.storage.contract import Appended, AppendStatus, Broken, Engine, Entry, Queue

Result = TypeVar("Result")
MEBIBYTE = 1 << 20
# How many turns of the loop must bring nothing new before a commit begins: a client that has its answer needs a few to
# send the next request. One turn and three measure alike.
QUIET_TURNS = 3
ENOUGH = 256  # entries that wait: then a commit begins without a quiet turn
NEW, STORED = AppendStatus.NEW, Verdict.STORED  # looked up once: that takes a tenth of a microsecond
OVERHEAD = 200  # bytes of memory that an entry, a row, a quarantined item or an outcome takes beside its contents
OnCommit = Callable[[float, int], None]
"""Called after each commit with the seconds that it took and the new events that it stored."""
log = logging.getLogger(__name__)


def unobserved(_seconds: float, _events: int) -> None:
    """Take no note of a commit."""


@attrs.define(eq=False)
class _Waiting:
    entry: Entry
    weight: int
    answer: asyncio.Future[Appended]

    def settle(self, appended: Appended) -> None:
        # A cancelled waiter's future is done already; its entry is committed all the same.
        if not self.answer.done():
            self.answer.set_result(appended)

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class GroupCommit:
    """A Storage over an engine.

    `queue_bytes` bounds the entries that wait, `group_rows` the rows and quarantined items of one commit; a larger
    entry is still taken, alone. After a failure the engine is tried again every `retry_seconds`. `monotonic` is a clock
    in seconds.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        queue_bytes: int = 64 * MEBIBYTE,
        group_rows: int = 2000,
        retry_seconds: float = 1.0,
        on_commit: OnCommit = unobserved,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._on_commit = on_commit
        self._monotonic = monotonic
        self._queue_bytes = queue_bytes
        self._group_rows = group_rows
        self._retry_seconds = retry_seconds
        self._waiting: deque[_Waiting] = deque()
        self._bytes = 0
        self._trouble: StorageUnavailable | None = None
        self._runner: asyncio.Task[None] | None = None
        self._recovery: asyncio.Task[None] | None = None
        # One call of the engine at a time: a reopen beside a commit would not see what the commit writes.
        self._turn = asyncio.Lock()
        self._closed = False

    @property
    def healthy(self) -> bool:
        """Whether an append can be expected to succeed."""
        return self._trouble is None and not self._closed

    @property
    def queue(self) -> Queue:
        """What was accepted and is not on disk yet."""
        return Queue(self._bytes, self._queue_bytes)

    async def append(self, entry: Entry) -> Appended:
        """Return once the entry is on disk. Raises StorageUnavailable if it cannot be accepted or committed."""
        return await self.submit(entry)

    def submit(self, entry: Entry) -> asyncio.Future[Appended]:
        """Accept an entry; the future is done once it is on disk. Raises StorageUnavailable if it is not accepted."""
        if self._closed:
            raise StorageUnavailable("the gateway is stopping")
        if isinstance(self._trouble, Broken):
            raise StorageUnavailable(str(self._trouble))
        size = weight(entry)
        # An entry that is larger than the whole queue is accepted when nothing else waits.
        if self._bytes and self._bytes + size > self._queue_bytes:
            raise StorageUnavailable("too much waits to be written")
        loop = asyncio.get_running_loop()
        waiting = _Waiting(entry, size, loop.create_future())
        self._waiting.append(waiting)
        self._bytes += size
        if self._runner is None:
            self._runner = loop.create_task(self._run())
        return waiting.answer

    async def between(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Do something with the engine between two commits. Raises StorageUnavailable, also if the engine is unwell."""
        async with self._turn:
            if self._closed:
                raise StorageUnavailable("the gateway is stopping")
            if self._trouble is not None:
                raise StorageUnavailable(str(self._trouble))
            return await work()

    def fail(self, error: StorageUnavailable) -> None:
        """Take note that the engine cannot keep anything now, and try it again until it can."""
        if not self._closed:
            self._begin_recovery(error)

    async def close(self) -> None:
        """Commit what was accepted, then close the engine. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._runner is not None:
            await asyncio.wait([self._runner])
        if (recovery := self._recovery) is not None:
            async with self._turn:  # a reopen that is cut short would leave a connection and its thread behind
                recovery.cancel()
            await asyncio.wait([recovery])
        await self._engine.close()

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._gather()
                group = self._take()
                try:
                    await self._commit(group)
                finally:
                    self._bytes -= sum(waiting.weight for waiting in group)
        finally:
            self._runner = None

    async def _gather(self) -> None:
        """Wait as long as each turn of the event loop brings more entries, without a timer."""
        quiet = 0
        while quiet < QUIET_TURNS and len(self._waiting) < ENOUGH:
            before = len(self._waiting)
            await asyncio.sleep(0)
            quiet = quiet + 1 if len(self._waiting) == before else 0

    def _take(self) -> list[_Waiting]:
        group = [self._waiting.popleft()]
        rows = _rows(group[0].entry)
        while self._waiting and rows + (more := _rows(self._waiting[0].entry)) <= self._group_rows:
            rows += more
            group.append(self._waiting.popleft())
        return group

    async def _commit(self, group: list[_Waiting]) -> None:
        try:
            async with self._turn:
                if isinstance(self._trouble, Broken):
                    raise self._trouble
                began = self._monotonic()
                answers = await self._engine.commit([waiting.entry for waiting in group])
                seconds = self._monotonic() - began
        except StorageUnavailable as error:
            _fail(group, error)
            self._begin_recovery(error)
        except Exception as error:
            if len(group) == 1:
                group[0].fail(error)
                return
            # One entry is at fault, and nobody knows which: commit each alone, so that the others do not fail with it.
            for waiting in group:
                await self._commit([waiting])
        else:
            self._trouble = None
            events = 0
            for waiting, appended in zip(group, answers, strict=True):
                waiting.settle(appended)
                events += _stored(waiting.entry, appended)
            self._on_commit(seconds, events)

    def _begin_recovery(self, error: StorageUnavailable) -> None:
        if self._trouble is None:
            log.error("storage unavailable: %s", error)
        self._trouble = error
        if self._recovery is None:
            self._recovery = asyncio.get_running_loop().create_task(self._recover())

    async def _recover(self) -> None:
        try:
            if not isinstance(self._trouble, Broken):
                await asyncio.sleep(self._retry_seconds)
            while self._trouble is not None:
                if not await self._probe():
                    await asyncio.sleep(self._retry_seconds)
            log.warning("storage available again")
        finally:
            self._recovery = None

    async def _probe(self) -> bool:
        try:
            async with self._turn:
                if isinstance(self._trouble, Broken):
                    await self._engine.reopen()
                await self._engine.commit(())
        except StorageUnavailable as error:
            self._trouble = error
        except Exception as error:
            # There is no entry to blame, so the store is at fault; if this task ended, it would never recover.
            self._trouble = Broken(repr(error))
        else:
            self._trouble = None
        return self._trouble is None


def weight(entry: Entry) -> int:
    """Return about how many bytes of memory the entry takes."""
    size = OVERHEAD * (1 + _rows(entry) + len(entry.outcomes)) + len(entry.raw_compressed)
    size += 0 if entry.request is None else len(entry.request.compressed)
    for row in entry.rows:
        size += len(row.body)
    if entry.quarantined:
        size += sum([len(each.payload) + len(each.faults) for each in entry.quarantined])
    for blob in entry.blobs:
        size += len(blob.content)
    return size


def _stored(entry: Entry, appended: Appended) -> int:
    """Return how many events came of an entry."""
    if appended.status is not NEW or entry.trial:
        return 0
    if not appended.duplicates:
        return len(entry.rows)
    if not entry.outcomes:  # then every item is a row
        return len(entry.rows) - len(appended.duplicates)
    return sum([each.verdict is STORED for each in appended.applied_to(entry.outcomes)])


def _rows(entry: Entry) -> int:
    return len(entry.rows) + len(entry.quarantined)


def _fail(group: list[_Waiting], error: StorageUnavailable) -> None:
    for waiting in group:
        # A new exception for each waiter, because each adds to its traceback.
        waiting.fail(StorageUnavailable(str(error), error.retry_after))
