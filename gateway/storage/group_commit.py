"""Group commit: many appends, one fsync. No SQL here, and no timer: while one commit runs, the next group forms."""

import asyncio
import logging
from collections import deque

import attrs

from gateway.dialect.outcome import StorageUnavailable
from gateway.storage.contract import Appended, Broken, Engine, Entry

MEBIBYTE = 1 << 20
# A client that has its answer takes some turns of the loop to send the next request; one turn and three measure alike.
QUIET_TURNS = 3
ENOUGH = 256
# What an entry, a row or a held item weighs in memory beside its bytes.
OVERHEAD = 200
log = logging.getLogger(__name__)


@attrs.define(eq=False)
class _Waiting:
    entry: Entry
    weight: int
    answer: asyncio.Future[Appended]

    def settle(self, appended: Appended) -> None:
        # Done already where the waiter was cancelled: its entry is kept all the same.
        if not self.answer.done():
            self.answer.set_result(appended)

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class GroupCommit:
    """A Storage over an engine. `queue_bytes` bounds what waits, `group_rows` what one commit takes.

    `retry_seconds` passes between two tries to find a store well again that failed.
    """

    def __init__(
        self, engine: Engine, *, queue_bytes: int = 64 * MEBIBYTE, group_rows: int = 2000, retry_seconds: float = 1.0
    ) -> None:
        self._engine = engine
        self._queue_bytes = queue_bytes
        self._group_rows = group_rows
        self._retry_seconds = retry_seconds
        self._waiting: deque[_Waiting] = deque()
        self._bytes = 0
        self._trouble: StorageUnavailable | None = None
        self._runner: asyncio.Task[None] | None = None
        self._recovery: asyncio.Task[None] | None = None
        # The engine is never called twice at a time: a reopen beside a commit would not see what that one writes.
        self._turn = asyncio.Lock()
        self._closed = False

    @property
    def healthy(self) -> bool:
        """Whether an append can be expected to succeed."""
        return self._trouble is None and not self._closed

    @property
    def waiting_bytes(self) -> int:
        """About how much was accepted and is not yet on disk."""
        return self._bytes

    async def append(self, entry: Entry) -> Appended:
        """Return once the entry is on disk. Raises StorageUnavailable at once where it cannot be taken on."""
        return await self.submit(entry)

    def submit(self, entry: Entry) -> asyncio.Future[Appended]:
        """Take the entry on; the future is done once it is on disk. Raises StorageUnavailable where it cannot."""
        if self._closed:
            raise StorageUnavailable("the gateway is stopping")
        if isinstance(self._trouble, Broken):
            raise StorageUnavailable(str(self._trouble))
        size = weight(entry)
        # An entry that is larger than the whole queue must get in at some time: when nothing else waits.
        if self._bytes and self._bytes + size > self._queue_bytes:
            raise StorageUnavailable("too much waits to be written")
        loop = asyncio.get_running_loop()
        waiting = _Waiting(entry, size, loop.create_future())
        self._waiting.append(waiting)
        self._bytes += size
        if self._runner is None:
            self._runner = loop.create_task(self._run())
        return waiting.answer

    async def close(self) -> None:
        """Commit what was accepted, then close the engine. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._runner is not None:
            await asyncio.wait([self._runner])
        if self._recovery is not None:
            self._recovery.cancel()
            await asyncio.wait([self._recovery])
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
        """Let the loop first finish what it has at hand: no timer, only as many turns as bring more to commit."""
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
                answers = await self._engine.commit([waiting.entry for waiting in group])
        except StorageUnavailable as error:
            _fail(group, error)
            self._suffer(error)
        except Exception as error:
            if len(group) == 1:
                group[0].fail(error)
                return
            # One of them is at fault, nobody knows which: its neighbours must not pay for it.
            for waiting in group:
                await self._commit([waiting])
        else:
            self._trouble = None
            for waiting, appended in zip(group, answers, strict=True):
                waiting.settle(appended)

    def _suffer(self, error: StorageUnavailable) -> None:
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
            # Whatever it was: with no entry to blame it is the store's, and giving up would refuse for ever.
            self._trouble = Broken(repr(error))
        else:
            self._trouble = None
        return self._trouble is None


def weight(entry: Entry) -> int:
    """Return about how many bytes of memory the entry takes."""
    size = OVERHEAD * (1 + len(entry.rows) + len(entry.quarantined) + len(entry.outcomes)) + len(entry.raw_compressed)
    for row in entry.rows:
        size += len(row.body)
    for quarantined in entry.quarantined:
        size += len(quarantined.payload) + len(quarantined.faults)
    for blob in entry.blobs:
        size += len(blob.content)
    raw = entry.raw
    return size if raw is None else size + len(raw.body) + len(raw.headers) + len(raw.query)


def _rows(entry: Entry) -> int:
    return len(entry.rows) + len(entry.quarantined)


def _fail(group: list[_Waiting], error: StorageUnavailable) -> None:
    for waiting in group:
        # One exception each: each waiter's traceback grows on its own.
        waiting.fail(StorageUnavailable(str(error), error.retry_after))
