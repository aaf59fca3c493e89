"""The long form of these faults: so many cycles of each, on a database and two gateways of its own. No test here."""

import asyncio
import contextlib
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from gateway.testing.postgres.installation import wheel
from tests.faults.postgres.failover import failovers, paired
from tests.faults.postgres.gateways import gateways
from tests.faults.postgres.proxy import Moment, proxied
from tests.faults.postgres.same_instant import at_the_same_instant
from tests.faults.postgres.sites import Site, site
from tests.faults.postgres.strikes import (
    SOON,
    Strikes,
    broken_commits,
    ended_backends,
    hangs,
    killed_gateways,
    restarts,
)
from tests.kit.postgres.bouncer import bouncing
from tests.kit.postgres.cluster import Cluster

PAIRS = 50
"""Requests at two gateways at the same instant, a cycle: 200 cycles are 10,000."""
MOMENTS = (*SOON * 8, Moment.HELD, Moment.SWALLOWED)
"""The last two take the length of a timeout."""
Fault = Callable[[int, random.Random, Path], contextlib.AbstractContextManager[tuple[Site, Strikes]]]


@contextlib.contextmanager
def _shop(folder: Path) -> Iterator[Site]:
    with Cluster.started(wheel(), fsync=True) as cluster:
        url = cluster.create_database("shop")
        with gateways(folder, url, url) as running:
            yield site(cluster, "shop", running)


@contextlib.contextmanager
def _restarts(cycles: int, _chance: random.Random, folder: Path) -> Iterator[tuple[Site, Strikes]]:
    with _shop(folder) as shop:
        yield shop, restarts(shop.cluster, cycles)


@contextlib.contextmanager
def _connections(cycles: int, _chance: random.Random, folder: Path) -> Iterator[tuple[Site, Strikes]]:
    with _shop(folder) as shop:
        yield shop, ended_backends(shop.cluster, "shop", cycles)


@contextlib.contextmanager
def _hangs(cycles: int, chance: random.Random, folder: Path) -> Iterator[tuple[Site, Strikes]]:
    with _shop(folder) as shop:
        yield shop, hangs(shop.cluster, cycles, chance)


@contextlib.contextmanager
def _gateways(cycles: int, chance: random.Random, folder: Path) -> Iterator[tuple[Site, Strikes]]:
    with _shop(folder) as shop:
        yield shop, killed_gateways(shop.gateways, cycles, chance)


@contextlib.contextmanager
def _commits(cycles: int, chance: random.Random, folder: Path) -> Iterator[tuple[Site, Strikes]]:
    with Cluster.started(wheel(), fsync=True) as cluster, proxied(cluster.port) as proxy:
        url = cluster.create_database("shop")
        by_proxy = url.replace(str(cluster.port), str(proxy.port)) + "?sslmode=disable"
        with gateways(folder, by_proxy, url) as running:
            yield site(cluster, "shop", running), broken_commits(proxy, cycles, chance, MOMENTS)


@contextlib.contextmanager
def _failovers(cycles: int, _chance: random.Random, folder: Path) -> Iterator[tuple[Site, Strikes]]:
    with paired(wheel()) as pair:
        pair.primary.create_database("shop")
        with gateways(folder, *[pair.url("shop")] * 2) as running:
            shop = site(pair.primary, "shop", running)
            yield shop, failovers(pair, shop, cycles)


@contextlib.contextmanager
def _bouncer(cycles: int, _chance: random.Random, folder: Path) -> Iterator[tuple[Site, Strikes]]:
    with Cluster.started(wheel(), fsync=True) as cluster, bouncing(cluster, default_pool_size="5") as bouncer:
        cluster.create_database("shop")
        with gateways(folder, *[bouncer.url("shop")] * 2) as running:
            yield site(cluster, "shop", running), [bouncer.restart] * cycles


FAULTS: Mapping[str, Fault] = {
    "restarts": _restarts,
    "connections": _connections,
    "commits": _commits,
    "hangs": _hangs,
    "gateways": _gateways,
    "failovers": _failovers,
    "bouncer": _bouncer,
}
"""By name: what makes a site, and the strikes against it."""
INSTANTS = "instants"
NAMES = (*FAULTS, INSTANTS)


def run(name: str, cycles: int, seed: int) -> bool:
    """Have one fault happen so often, print what came of it, and return whether every promise was kept."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        if name == INSTANTS:
            with _shop(folder) as shop:
                unlike = asyncio.run(at_the_same_instant(shop, cycles * PAIRS))
                outcome = asyncio.run(shop.outcome([]))
            said = f"{cycles * PAIRS} requests at two gateways at once, {len(unlike)} answered unlike: {outcome.said}"
            broken = unlike + outcome.broken
        else:
            with FAULTS[name](cycles, chance, folder) as (shop, strikes):
                outcome = asyncio.run(shop.outcome(strikes))
            said, broken = outcome.said, outcome.broken
    balance = "counters balance" if outcome.balances else "COUNTERS DO NOT BALANCE"
    print("\n".join([f"{name}: {said}, {balance}", *broken[:20]]), flush=True)
    return outcome.is_good and not broken
