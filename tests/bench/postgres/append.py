"""storage.append beside the bare statements: the engine's own, with the same values, sent by asyncpg and nothing else.

What the engine sends while it stores is recorded: each transaction with its statements, in groups as group commit makes
them. The same is then sent over one connection into another database that has the same tables. What remains between the
two rates is what the gateway does itself: forming groups, deciding, making the values, answering callers.
"""

import asyncio
import gc
import time
from collections.abc import Iterator
from typing import Any, cast

import asyncpg
import attrs

from gateway.storage.contract import Entry
from gateway.storage.group_commit import GroupCommit
from gateway.storage.postgres.connection.address import Address
from gateway.storage.postgres.connection.session import Connection, Session
from gateway.storage.postgres.engine import PostgresEngine
from gateway.storage.postgres.gateways import Gateway
from gateway.storage.postgres.partitions import make_days
from gateway.storage.postgres.write.quarantine import Quarantine
from gateway.storage.postgres.write.writer import Writer
from gateway.storage.store import unbounded
from tests.bench.postgres.entries import Load


@attrs.frozen
class Call:
    """One call of a connection's method."""

    method: str
    statement: str
    values: tuple[object, ...]


class Recorder:
    """A connection that remembers what is asked of it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.calls: list[Call] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def execute(self, statement: str, *values: object) -> Any:
        """As asyncpg's."""
        self.calls.append(Call("execute", statement, values))
        return await self._connection.execute(statement, *values)

    async def fetch(self, statement: str, *values: object) -> Any:
        """As asyncpg's."""
        self.calls.append(Call("fetch", statement, values))
        return await self._connection.fetch(statement, *values)

    async def fetchrow(self, statement: str, *values: object) -> Any:
        """As asyncpg's."""
        self.calls.append(Call("fetchrow", statement, values))
        return await self._connection.fetchrow(statement, *values)


class RecordedSession(Session):
    """A session that says what was asked of its connection."""

    async def calls(self) -> list[Call]:
        """Return what was asked since the last time."""
        recorder = cast(Recorder, await self.connection())
        calls, recorder.calls = recorder.calls, []
        return calls

    async def _connect(self) -> Connection:
        return cast(Connection, Recorder(await super()._connect()))


@attrs.frozen
class Run:
    """So many events in so many transactions, and the seconds and the CPU seconds of this process that they took."""

    events: int
    groups: int
    seconds: float
    cpu: float


@attrs.define
class Appending:
    """An engine with its group commit, whose statements are recorded."""

    storage: GroupCommit
    session: RecordedSession

    @classmethod
    async def open(cls, url: str) -> "Appending":
        """Open a writer on a database that has the tables."""
        session = RecordedSession(Address(url), "bench")
        async with session.transaction() as db:
            gateway = await Gateway.claim(db)
            days = await make_days(db)
        engine = PostgresEngine(session, Writer(gateway, Quarantine(gateway, unbounded), days))
        return cls(GroupCommit(engine), session)

    async def append(self, load: Load, source: Iterator[Entry], events: int) -> tuple[Run, list[Call]]:
        """Store so many events as fast as the load's callers do; return what was sent for it too."""
        made = [next(source) for _ in range(events // load.items)]
        await self.session.calls()
        _settle_garbage()
        remaining = iter(made)

        async def caller() -> None:
            for entry in remaining:
                await self.storage.append(entry)

        started, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*[caller() for _ in range(load.callers)])
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        calls = await self.session.calls()
        groups = len([call for call in calls if call.statement == "COMMIT"])
        return Run(len(made) * load.items, groups, seconds, cpu), calls

    async def close(self) -> None:
        """Close the connection."""
        await self.storage.close()


def _settle_garbage() -> None:
    """Let the collector leave alone what is made before a slice, and work as seldom as in a gateway that serves."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


async def replay(connection: "asyncpg.Connection[asyncpg.Record]", calls: list[Call], of: Run) -> Run:
    """Send the same over one connection."""
    _settle_garbage()
    started, cpu = time.perf_counter(), time.process_time()
    for call in calls:
        await getattr(connection, call.method)(call.statement, *call.values)
    return Run(of.events, of.groups, time.perf_counter() - started, time.process_time() - cpu)
