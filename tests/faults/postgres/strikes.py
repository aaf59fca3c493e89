"""What goes wrong, as lists of functions for Site.endure: each does its worst, and returns once it is over."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import asyncpg

from gateway.storage.postgres.connection.session import Connection
from tests.faults.postgres.gateways import Gateway
from tests.faults.postgres.proxy import Moment, Proxy
from tests.kit.postgres.cluster import Cluster

PATIENCE = 30  # seconds
Strikes = list[Callable[[], object]]


def restarts(cluster: Cluster, cycles: int) -> Strikes:
    """Restart the database: in order, at once as in a crash, and by SIGKILL, in turn."""
    kinds: Strikes = [cluster.restart, partial(cluster.restart, immediate=True), partial(_kill_and_start, cluster)]
    return [kinds[cycle % len(kinds)] for cycle in range(cycles)]


def _kill_and_start(cluster: Cluster) -> None:
    cluster.kill()
    cluster.start()


def ended_backends(cluster: Cluster, database: str, cycles: int) -> Strikes:
    """End the connections of all clients to a database."""
    return [partial(cluster.terminate_backends, database)] * cycles


SOON = (Moment.UNSENT, Moment.UNREAD, Moment.UNANSWERED)
"""What a gateway notices at once. What it notices only by its timeouts is for the long form."""


def broken_commits(proxy: Proxy, cycles: int, chance: random.Random, moments: Sequence[Moment] = SOON) -> Strikes:
    """Break a connection off around a COMMIT."""
    return [partial(proxy.strike, chance.choice(moments)) for _ in range(cycles)]


def hangs(cluster: Cluster, cycles: int, chance: random.Random) -> Strikes:
    """Have the database hang for a moment: less than any timeout."""
    return [partial(_hang, cluster, chance.uniform(0.0, 0.5)) for _ in range(cycles)]


def _hang(cluster: Cluster, seconds: float) -> None:
    with cluster.hanging():
        time.sleep(seconds)


@contextlib.contextmanager
def crowd(cluster: Cluster, database: str) -> Iterator[None]:
    """Take all connections that the database gives to ordinary roles, those of running gateways included."""

    async def fill() -> list[Connection]:
        taken: list[Connection] = []
        while True:
            try:
                taken.append(await asyncpg.connect(cluster.url(), timeout=PATIENCE))
            except asyncpg.TooManyConnectionsError:
                if not cluster.terminate_backends(database):
                    return taken

    with asyncio.Runner() as runner:
        taken = runner.run(fill())
        try:
            yield
        finally:
            for each in taken:
                each.terminate()
            runner.run(asyncio.sleep(0))


def killed_gateways(gateways: list[Gateway], cycles: int, chance: random.Random) -> Strikes:
    """Kill one of the gateways, or now and then all of them, and start them again."""
    choices = [*([each] for each in gateways * 3), gateways]
    return [partial(_kill_and_serve, chance.choice(choices)) for _ in range(cycles)]


def _kill_and_serve(gateways: list[Gateway]) -> None:
    for each in gateways:
        each.kill()
    for each in gateways:
        each.begin()
    for each in gateways:
        each.wait_until_ready()
