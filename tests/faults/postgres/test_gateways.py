"""Several gateways that die, freeze, or disagree about the time, and clients that come to two of them at once."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.testing.postgres.installation import wheel
from tests.faults.figures import Figure
from tests.faults.oracle import GOOD, faults_in
from tests.faults.postgres.gateways import Gateway, gateways
from tests.faults.postgres.proxy import Moment, proxied
from tests.faults.postgres.same_instant import at_the_same_instant
from tests.faults.postgres.sites import Site, site
from tests.faults.postgres.strikes import killed_gateways
from tests.faults.test_clock import HOUR, clocked
from tests.faults.wire import ask
from tests.kit.postgres.cluster import Cluster

CYCLES = 10
PAIRS = 200
OPEN = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND backend_xid IS NOT NULL"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster.started(wheel()) as cluster:
        yield cluster


async def test_gateways_that_are_killed_lose_and_double_nothing(
    cluster: Cluster, tmp_path: Path, figure: Figure
) -> None:
    url = cluster.create_database("killed")
    with gateways(tmp_path, url, url) as running:
        shop = site(cluster, "killed", running)
        await shop.hold(killed_gateways(running, CYCLES, random.Random(3)), figure)
        await both_answer_alike(shop, PAIRS, figure)


async def both_answer_alike(shop: Site, pairs: int, figure: Figure) -> None:
    unlike = await at_the_same_instant(shop, pairs)
    figures = await asyncio.to_thread(shop.judge)
    figure(f"{pairs} requests at two gateways at the same instant: {len(unlike)} answered unlike, {figures}")
    assert unlike == []
    assert faults_in(figures) == GOOD
    assert shop.balances()


async def test_gateways_whose_clocks_are_an_hour_apart_lose_and_double_nothing(
    cluster: Cluster, tmp_path: Path, figure: Figure, shim: Callable[[str], Path]
) -> None:
    url = cluster.create_database("clocks")
    with gateways(tmp_path, url) as running:
        offset, environment = clocked(tmp_path, shim("clock"))
        ahead = Gateway(url, tmp_path / "ahead", environment)
        offset.write_text(f"+{HOUR}")
        ahead.start()
        running.append(ahead)  # and so it is ended too
        shop = site(cluster, "clocks", running)
        await shop.hold([lambda: None] * 2, figure)
        await both_answer_alike(shop, PAIRS // 3, figure)
        hours = cluster.sql("SELECT count(DISTINCT date_trunc('hour', received_at)) FROM gateway.events", "clocks")
        assert int(hours[0]) >= 2
        assert [each.stop() for each in running] == [0, 0]


async def test_a_gateway_that_freezes_in_a_transaction_holds_the_other_one_up_for_seconds_only(
    cluster: Cluster, tmp_path: Path, figure: Figure
) -> None:
    url = cluster.create_database("frozen")
    with proxied(cluster.port) as proxy:
        by_proxy = url.replace(str(cluster.port), str(proxy.port)) + "?sslmode=disable"
        with gateways(tmp_path, by_proxy, url) as running:
            shop = site(cluster, "frozen", running)
            warm = shop.oracle.new()  # a connection's first transaction writes nothing
            shop.oracle.answered(warm, await ask(running[0].url, warm.raw))
            sent = shop.oracle.new()
            proxy.arm(Moment.HELD)
            first = asyncio.create_task(ask(running[0].url, sent.raw))
            assert await asyncio.to_thread(proxy.hit.wait, 30)
            with running[0].hanging():
                assert cluster.sql(OPEN, "frozen") == ["1"]
                started = time.monotonic()
                answer = await ask(running[1].url, sent.raw)
                seconds = time.monotonic() - started
                figure(f"the same event at the other gateway: {answer.status} after {seconds:.1f} s")
                assert answer.status == 200
            shop.oracle.answered(sent, answer)
            late = await first
            if late.status != 503:
                shop.oracle.answered(sent, late)
            await shop.hold([lambda: None], figure)
