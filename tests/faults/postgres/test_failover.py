"""A standby that takes the primary's place: what was acknowledged is there, and the former one adds nothing."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.testing.postgres.installation import wheel
from tests.faults.figures import Figure
from tests.faults.postgres.failover import Pair, failovers, paired
from tests.faults.postgres.gateways import Gateway, gateways
from tests.faults.postgres.sites import Site, site
from tests.faults.wire import ask

CYCLES = 3


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with paired(wheel()) as pair:
        yield pair


@pytest.fixture(scope="module")
def shop(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    pair.primary.create_database("shop")
    with gateways(tmp_path_factory.mktemp("shop"), *[pair.url("shop")] * 2) as running:
        yield site(pair.primary, "shop", running)


async def test_a_failover_to_the_standby_loses_and_doubles_nothing(pair: Pair, shop: Site, figure: Figure) -> None:
    await shop.hold(failovers(pair, shop, CYCLES), figure)
    assert [each.runs() for each in shop.gateways] == [True, True]


async def test_a_primary_that_hangs_while_the_standby_takes_its_place_acknowledges_nothing_when_it_goes_on(
    pair: Pair, shop: Site, figure: Figure
) -> None:
    await asyncio.to_thread(pair.rebuild)
    hanging, shop.between = pair.primary, lambda: None

    def strike() -> None:
        with hanging.hanging():
            pair.promote()
            shop.cluster = pair.primary
            for each in shop.gateways:
                shop.wait_for_yes(each)

    await shop.hold([strike, lambda: None], figure)


async def test_a_former_primary_that_comes_back_acknowledges_nothing(
    pair: Pair, shop: Site, figure: Figure, tmp_path: Path
) -> None:
    await shop.hold(failovers(pair, shop, 1), figure)
    shop.between = lambda: None
    former = pair.lost
    assert former is not None, "the standby has taken its place"
    former.start()  # it takes itself for the primary, and waits for its standby at each commit
    storage = f"postgresql://gateway@127.0.0.1:{former.port},127.0.0.1:{pair.primary.port}/shop"
    misled = Gateway(storage, tmp_path / "misled")
    misled.begin()
    pair.primary.terminate_backends("shop")  # those that ran go to whichever comes first in their URL
    sent = [shop.oracle.new() for _ in shop.gateways]
    pairs = zip(shop.gateways, sent, strict=True)
    answers = await asyncio.gather(*[ask(gateway.url, each.raw) for gateway, each in pairs])
    figure(f"with two primaries: {[answer.status for answer in answers]}")
    for each, answer in zip(sent, answers, strict=True):
        shop.oracle.answered(each, answer)
    assert (await asyncio.to_thread(misled.end), misled.log) == (1, f"Error: cannot use {storage}: no answer in time\n")
    former.kill()
    await shop.hold([lambda: None], figure)
