"""aiosqlite, with a whole job in one visit to its thread. The only importer of aiosqlite here; no SQL.

aiosqlite gives its thread one call at a time, and each costs an await and a hand-over of the GIL on both sides; a
group's transaction would be a dozen. Its public door to more is the connection's class: this one's `commit` is a job.

A busy event loop starves that thread: it lets go of the GIL at every system call, but for a moment too short to wake
up in, and each such moment starts anew the 5 ms after which a waiting thread may insist. Measured: commits of half a
second, and of seconds where the loop only polls; a shorter switch interval makes it worse. So while a job runs, the
loop sleeps for a moment every so often: commits of 7 ms at the same load, and no fewer requests served.
"""

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import aiosqlite

Result = TypeVar("Result")
Job = Callable[[sqlite3.Connection], None]
# Seconds to wait for a lock that somebody at a `sqlite3` prompt holds.
BUSY = 5.0
# Seconds: how often the loop gives way to a job, and for how long; with the kernel's slack the latter is about doubled.
GIVE_WAY_EVERY = 0.001
GIVE_WAY_FOR = 0.00005


class _Visited(sqlite3.Connection):
    def __init__(self, *arguments: object, jobs: deque[Job], **options: object) -> None:
        # aiosqlite hands on what it was given; the stub wants each argument by its own type.
        super().__init__(*arguments, **options)  # type: ignore[arg-type]
        self._jobs = jobs

    def commit(self) -> None:
        self._jobs.popleft()(self)


class DatabaseThread:
    """A connection on a thread of its own, which ends only with `close`."""

    def __init__(self, connection: aiosqlite.Connection, jobs: deque[Job]) -> None:
        self._connection = connection
        self._jobs = jobs
        self._running = 0
        self._giving_way = False

    @classmethod
    async def open(cls, uri: str) -> "DatabaseThread":
        """Connect to the file that the URI names, with no transactions but those that jobs begin themselves."""
        jobs: deque[Job] = deque()
        factory = partial(_Visited, jobs=jobs)
        connection = aiosqlite.connect(
            uri,
            uri=True,
            timeout=BUSY,
            isolation_level=None,
            cached_statements=1024,
            factory=factory,
        )
        return cls(await connection, jobs)

    async def run(self, job: Callable[[sqlite3.Connection], Result]) -> Result:
        """Return what the job returns, or raise what it raises. Jobs run one after the other, in the calls' order.

        A caller that is cancelled leaves the job running.
        """
        results: list[Result] = []
        self._jobs.append(lambda connection: results.append(job(connection)))
        self._running += 1
        if not self._giving_way:
            self._giving_way = True
            self._later(asyncio.get_running_loop())
        try:
            await self._connection.commit()
        finally:
            self._running -= 1
        return results[0]

    def _later(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_later(GIVE_WAY_EVERY, self._give_way, loop)

    def _give_way(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._running:
            time.sleep(GIVE_WAY_FOR)
            self._later(loop)
        else:
            self._giving_way = False

    async def close(self) -> None:
        """Close the connection once the jobs are done, and end its thread."""
        await self._connection.close()
