"""A connection on a thread of its own, which runs a whole transaction in one hop. No SQL here.

aiosqlite runs one call of a connection at a time on its thread, and each call costs an await and two changes of the
GIL's holder; a group's transaction would be a dozen calls. It has no public method that runs a function there, but it
calls `commit` of the connection class that it was given: so this module gives it a class whose `commit` runs a
transaction.

A busy event loop starves that thread of the GIL. The loop releases the GIL at every system call, but for too short a
time to wake up in, and each release restarts the 5 ms after which a waiting thread may insist. Measured: commits of
half a second, and of several seconds if the loop only polls; a shorter switch interval makes it worse. So while a
transaction runs, a busy loop sleeps for a moment every millisecond: commits of 7 ms at the same load, and no fewer
requests served. A loop that is idle, as that of a writer process mostly is, is left alone.
"""

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Self, TypeVar

import aiosqlite

Result = TypeVar("Result")
Transaction = Callable[[sqlite3.Connection], Result]
"""A function that begins and ends its transaction by itself, or only reads."""

BUSY_SECONDS = 5.0
"""How long to wait for a lock, which somebody at a `sqlite3` prompt may hold."""
# In seconds. With the kernel's timer slack a nap takes about twice as long.
NAP_EVERY = 0.001
NAP = 0.00005
BUSY = 0.25  # of the time: a loop that used less starves nobody
NAP_EVERY_IF_IDLE = 0.016  # to wake up an idle loop every millisecond was a sixth of a writer process's CPU


class _TransactionConnection(sqlite3.Connection):
    """A connection whose `commit` runs the next transaction of a queue, on the thread that aiosqlite calls it on."""

    def __init__(self, *arguments: object, queue: deque[Transaction[None]], **options: object) -> None:
        # The arguments are those of `aiosqlite.connect`, passed on; the stub wants each by its own type.
        super().__init__(*arguments, **options)  # type: ignore[arg-type]
        self._queue = queue

    def commit(self) -> None:
        self._queue.popleft()(self)


async def connected(connection: aiosqlite.Connection) -> aiosqlite.Connection:
    """Return a connection once it is open. Where it fails, or nobody waits any more, its thread has ended first.

    Nobody else waits for the thread that aiosqlite started: it would report to a loop that may be closed by then.
    """
    try:
        return await connection
    except BaseException:
        thread: Any = getattr(connection, "_thread", connection)  # before 0.22 a connection is a thread
        await asyncio.to_thread(thread.join, BUSY_SECONDS)
        raise


class DatabaseThread:
    """A connection and its thread, which lasts until `close`."""

    def __init__(self, connection: aiosqlite.Connection, queue: deque[Transaction[None]], yields: bool = True) -> None:
        self._connection = connection
        self._queue = queue
        self._yields = yields
        self._running = 0
        self._napping = False
        self._nap_every = NAP_EVERY

    @classmethod
    async def open(cls, uri: str, *, yields: bool = True) -> Self:
        """Connect to the file of an SQLite URI, without automatic transactions. Raises sqlite3.Error.

        `yields` says that the event loop sleeps for a moment now and then while a transaction runs. One that is a
        single long statement has no use for that.
        """
        queue: deque[Transaction[None]] = deque()
        connection = aiosqlite.connect(
            uri,
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            cached_statements=1024,
            factory=partial(_TransactionConnection, queue=queue),
        )
        return cls(await connected(connection), queue, yields)

    async def run(self, transaction: Transaction[Result]) -> Result:
        """Return what the transaction returns, or raise what it raises. They run one at a time, in the calls' order.

        If the caller is cancelled, the transaction runs all the same.
        """
        results: list[Result] = []
        self._queue.append(lambda connection: results.append(transaction(connection)))
        self._running += 1
        if self._yields and not self._napping:
            self._napping = True
            self._schedule_gil_nap(asyncio.get_running_loop())
        try:
            await self._connection.commit()
        finally:
            self._running -= 1
        return results[0]

    def _schedule_gil_nap(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_later(self._nap_every, self._gil_nap, loop, time.thread_time())

    def _gil_nap(self, loop: asyncio.AbstractEventLoop, used_before: float) -> None:
        """Sleep on the loop's thread if it is busy, so that the database thread gets the GIL; again while one runs."""
        is_busy = time.thread_time() - used_before > BUSY * self._nap_every
        self._nap_every = NAP_EVERY if is_busy else min(2 * self._nap_every, NAP_EVERY_IF_IDLE)
        if not self._running:
            self._napping = False
            return
        if is_busy:
            time.sleep(NAP)
        self._schedule_gil_nap(loop)

    async def close(self) -> None:
        """Close the connection once the transactions are done, and end its thread. Raises sqlite3.Error."""
        await self._connection.close()
