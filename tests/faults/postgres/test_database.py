"""A database that is restarted, and connections that break, the worst moment included: under load, at two gateways."""

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.testing.postgres.installation import wheel
from tests.faults.figures import Figure
from tests.faults.lives import seconds_until, status_of
from tests.faults.postgres.gateways import Gateway, gateways
from tests.faults.postgres.proxy import Proxy, proxied
from tests.faults.postgres.sites import Site, site
from tests.faults.postgres.strikes import broken_commits, crowd, ended_backends, hangs, restarts
from tests.faults.postgres.voices import refused_in_every_voice
from tests.faults.wire import ask
from tests.kit.postgres.cluster import PASSWORD, Cluster

CYCLES = 10


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster.started(wheel(), fsync=True) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def proxy(cluster: Cluster) -> Iterator[Proxy]:
    with proxied(cluster.port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def shop(cluster: Cluster, proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two gateways: one reaches the database by the proxy, the other one itself."""
    url = cluster.create_database("shop")
    by_proxy = url.replace(str(cluster.port), str(proxy.port)) + "?sslmode=disable"
    with gateways(tmp_path_factory.mktemp("shop"), by_proxy, url) as running:
        yield site(cluster, "shop", running)


async def test_a_database_that_is_restarted_loses_and_doubles_nothing(shop: Site, figure: Figure) -> None:
    await shop.hold(restarts(shop.cluster, CYCLES), figure)


async def test_connections_that_are_ended_lose_and_double_nothing(shop: Site, figure: Figure) -> None:
    await shop.hold(ended_backends(shop.cluster, shop.database, CYCLES), figure)


async def test_a_commit_that_breaks_off_loses_and_doubles_nothing(shop: Site, proxy: Proxy, figure: Figure) -> None:
    await shop.hold(broken_commits(proxy, CYCLES, random.Random(5)), figure)
    assert "a commit broke off" in shop.gateways[0].log


async def test_a_database_that_hangs_is_503_in_every_voice_and_is_left_behind(shop: Site, figure: Figure) -> None:
    await shop.hold(hangs(shop.cluster, CYCLES, random.Random(6)), figure)
    started = time.monotonic()
    with shop.cluster.hanging():
        sent = [shop.oracle.new() for _ in shop.gateways]
        pairs = zip(shop.gateways, sent, strict=True)
        answers = await asyncio.gather(*[ask(gateway.url, each.raw) for gateway, each in pairs])
        figure(f"{[answer.status for answer in answers]} after {time.monotonic() - started:.1f} s")
        for each, answer in zip(sent, answers, strict=True):
            assert answer.status == 503
            shop.oracle.answered(each, answer)
        for gateway in shop.gateways:
            assert await asyncio.to_thread(status_of, gateway.url) == 503
            await asyncio.to_thread(refused_in_every_voice, shop, gateway)
    await shop.hold([lambda: None], figure)


async def test_a_database_without_room_for_connections_is_told_and_is_left_behind(
    shop: Site, figure: Figure, tmp_path: Path
) -> None:
    def crowded() -> None:
        with crowd(shop.cluster, shop.database):
            late = Gateway(shop.gateways[1].storage, tmp_path / "late")
            late.begin()
            said.append((late.end(), late.log))
            for each in shop.gateways:
                seconds_until(each.url, 503)

    said: list[tuple[int | None, str]] = []
    await shop.hold([crowded], figure)
    name = shop.gateways[1].storage.replace(f":{PASSWORD}", "")
    ((code, text),) = said
    assert (code, text.count("\n")) == (1, 1)
    assert text.startswith(f"Error: cannot use {name}: remaining connection slots are reserved for ")
