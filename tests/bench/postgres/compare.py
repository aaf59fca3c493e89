"""Rounds of storage.append beside the bare statements, and of a grown database beside a small one. It measures."""

import time
from collections.abc import Callable

import attrs

from gateway.storage.postgres.connection.address import Address
from gateway.storage.postgres.connection.session import Session
from tests.bench.postgres.append import Appending, Run, replay
from tests.bench.postgres.entries import Load, entries
from tests.bench.spread import Spread, spread

EVENTS_A_SLICE = 100  # for each caller's event: enough groups to see past one slow sync


@attrs.frozen
class Beside:
    """Runs of two contestants, `ours` and `theirs`, in turns, and the server's CPU seconds of each of ours."""

    load: Load
    ours: list[Run]
    theirs: list[Run]
    database_cpu: list[float]

    @property
    def ratio(self) -> Spread:
        """Our rate over theirs; theirs is that just before and just after ours, so that a drift cancels."""
        before = self.theirs[:1] + self.theirs[:-1]
        return spread(
            [
                (one.seconds + other.seconds) / 2 / ours.seconds
                for ours, one, other in zip(self.ours, before, self.theirs, strict=True)
            ]
        )

    def rate(self, runs: list[Run]) -> Spread:
        """Return events/s."""
        return spread([each.events / each.seconds for each in runs])

    def cpu(self, runs: list[Run]) -> Spread:
        """Return the CPU microseconds an event of the process that sends."""
        return spread([each.cpu / each.events * 1e6 for each in runs])

    @property
    def database(self) -> Spread:
        """The server's CPU microseconds an event."""
        return spread([cpu / each.events * 1e6 for cpu, each in zip(self.database_cpu, self.ours, strict=True)])

    @property
    def group(self) -> float:
        """Events in a transaction."""
        return sum(each.events for each in self.ours) / sum(each.groups for each in self.ours)


async def append_beside_statements(
    url: str, bare_url: str, load: Load, first: int, rounds: int, database_cpu: Callable[[], float]
) -> Beside:
    """Store events in one database, and send the same statements into another one."""
    appending, session = await Appending.open(url), Session(Address(bare_url), "bench bare")
    await (await Appending.open(bare_url)).close()  # so that it has today's partitions
    found = Beside(load, [], [], [])
    source = entries(load.items, first, time.time)
    try:
        connection = await session.connection()
        for number in range(rounds + 1):
            before = database_cpu()
            ours, calls = await appending.append(load, source, events(load))
            used = database_cpu() - before
            theirs = await replay(connection, calls, ours)
            if number:  # the first one prepares statements
                found.ours.append(ours)
                found.theirs.append(theirs)
                found.database_cpu.append(used)
    finally:
        await session.close()
        await appending.close()
    return found


async def append_to_both(
    grown_url: str, small_url: str, load: Load, first: int, rounds: int, database_cpu: Callable[[], float]
) -> Beside:
    """Store events in a grown database and in a small one, in turns."""
    grown, small = await Appending.open(grown_url), await Appending.open(small_url)
    found = Beside(load, [], [], [])
    source = entries(load.items, first, time.time)
    try:
        for number in range(rounds + 1):
            before = database_cpu()
            ours, _ = await grown.append(load, source, events(load))
            used = database_cpu() - before
            theirs, _ = await small.append(load, source, events(load))
            if number:
                found.ours.append(ours)
                found.theirs.append(theirs)
                found.database_cpu.append(used)
    finally:
        await grown.close()
        await small.close()
    return found


async def store(url: str, load: Load, first: int, count: int = 0) -> int:
    """Store so many events, or as many as a slice has; return how many."""
    appending = await Appending.open(url)
    try:
        done, _ = await appending.append(load, entries(load.items, first, time.time), count or events(load))
    finally:
        await appending.close()
    return done.events


def events(load: Load) -> int:
    """Return how many events a slice has."""
    return load.callers * load.items * (EVENTS_A_SLICE if load.items == 1 else 8)
