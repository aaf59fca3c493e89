"""Gateways whose database is behind PgBouncer, which gives a connection for the length of a transaction only."""

import json
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.faults.figures import Figure
from tests.faults.postgres.gateways import gateways
from tests.faults.postgres.sites import Site, site
from tests.faults.postgres.strikes import Strikes
from tests.faults.postgres.test_start import until_answered
from tests.faults.wire import request
from tests.kit.postgres.bouncer import Bouncer, bouncing
from tests.kit.postgres.cluster import Cluster

CYCLES = 5
POOL = 5
"""Connections to the database: fewer than two gateways have to PgBouncer."""


@pytest.fixture(scope="module")
def bouncer(clusters: Callable[[str], Cluster]) -> Iterator[Bouncer]:
    with bouncing(clusters("wheel"), default_pool_size=str(POOL)) as bouncer:
        yield bouncer


@pytest.fixture(scope="module")
def shop(
    clusters: Callable[[str], Cluster], bouncer: Bouncer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    cluster = clusters("wheel")
    cluster.create_database("bounced")
    with gateways(tmp_path_factory.mktemp("bounced"), *[bouncer.url("bounced")] * 2) as running:
        yield site(cluster, "bounced", running)
    cluster.drop_database("bounced")


async def test_behind_pgbouncer_nothing_is_lost_or_doubled_when_it_is_restarted(
    shop: Site, bouncer: Bouncer, figure: Figure
) -> None:
    strikes: Strikes = [bouncer.restart, partial(shop.cluster.terminate_backends, shop.database)]
    await shop.hold(strikes * CYCLES, figure)
    for each in shop.gateways:
        assert "prepared statement" not in each.log
    assert "prepared statement" not in shop.cluster.log.read_text()


async def test_behind_pgbouncer_a_credential_is_known_to_all_by_asking(shop: Site, figure: Figure) -> None:
    made = json.loads(shop.gateways[0].cli("keys", "add", "--dialect", "databuddy", "--json"))
    raw = request("/track", {"name": "seen"}, {"Authorization": f"Bearer {made['value']}"})
    seconds = [await until_answered(each, raw, 200) for each in shop.gateways]
    shop.gateways[0].cli("keys", "revoke", made["id"])
    seconds += [await until_answered(each, raw, 401) for each in shop.gateways]
    figure(f"known after at most {max(seconds):.2f} s")
