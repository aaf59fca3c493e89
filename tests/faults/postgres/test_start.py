"""Gateways that start at once on an empty database, what each does while it runs, and upgrades beside them."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from gateway.storage.postgres.connection.address import Address
from gateway.storage.postgres.connection.session import Session
from gateway.storage.postgres.tables import UPGRADES, upgrade
from tests.faults.figures import Figure
from tests.faults.lives import seconds_until
from tests.faults.postgres.gateways import Gateway
from tests.faults.postgres.sites import Site, site
from tests.faults.wire import ask, request
from tests.kit.postgres.cluster import PASSWORD, Cluster
from tests.kit.serving import TAKEN_UP

PATIENCE = 10.0  # seconds
LATER = (
    "ALTER TABLE gateway.events ADD COLUMN later text",
    "CREATE TABLE gateway.later AS SELECT 1 AS done",
)
RESTORE = f"UPDATE gateway.meta SET version = {len(UPGRADES)}, compatible_from = 1"


@pytest.fixture(scope="module")
def shop(clusters: Callable[[str], Cluster], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two gateways that were started at the same instant."""
    cluster = clusters("wheel")
    url, folder = cluster.create_database("started"), tmp_path_factory.mktemp("started")
    pair = [Gateway(url, folder / name) for name in ("one", "two")]
    try:
        for each in pair:
            each.begin()
        for each in pair:
            each.wait_until_ready()
        yield site(cluster, "started", pair)
    finally:
        for each in pair:
            if each.runs():
                each.kill()
        cluster.drop_database("started")


async def test_of_two_that_start_at_once_one_makes_the_credentials_and_both_take_them(
    shop: Site, figure: Figure
) -> None:
    greetings = [each.greeting for each in shop.gateways]
    lines = Counter(line.split(" ")[0] for each in greetings for line in each.splitlines() if "_key: " in line)
    assert lines == dict.fromkeys(("Appizer", "Browsee", "Databuddy", "Tranthor"), 1)
    assert sum("Admin token, shown only once" in each for each in greetings) == 1
    assert len(shop.gateways[0].cli("keys", "list", "--json").splitlines()) == 4
    await shop.hold([lambda: None], figure)


async def test_a_credential_that_is_added_or_revoked_is_known_to_all_in_two_seconds(shop: Site, figure: Figure) -> None:
    made = json.loads(shop.gateways[0].cli("keys", "add", "--dialect", "databuddy", "--json"))
    raw = request("/track", {"name": "seen"}, {"Authorization": f"Bearer {made['value']}"})
    seconds = [await until_answered(each, raw, 200) for each in shop.gateways]
    shop.gateways[0].cli("keys", "revoke", made["id"])
    seconds += [await until_answered(each, raw, 401) for each in shop.gateways]
    figure(f"known after at most {max(seconds):.2f} s; {TAKEN_UP} s are promised")


async def until_answered(gateway: Gateway, raw: bytes, status: int) -> float:
    started = time.monotonic()
    async with asyncio.timeout(PATIENCE):
        while (await ask(gateway.url, raw)).status != status:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return time.monotonic() - started


async def test_two_upgrades_at_once_are_one_and_older_gateways_go_on_meanwhile(shop: Site, figure: Figure) -> None:
    await shop.hold([lambda: upgraded(shop, 1)], figure)
    assert shop.cluster.sql("SELECT count(*) FROM gateway.later", "started") == ["1"]
    shop.cluster.sql(RESTORE, "started")


def upgraded(shop: Site, compatible_from: int) -> None:
    """Upgrade the tables twice at the same instant."""

    async def run() -> None:
        sessions = [Session(Address(shop.gateways[0].storage), "gateway upgrade") for _ in range(2)]
        await asyncio.gather(*[upgrade(each, (*UPGRADES, LATER), compatible_from) for each in sessions])
        for each in sessions:
            await each.close()

    asyncio.run(run())


async def test_a_gateway_that_is_too_old_for_the_tables_says_so_in_one_line_and_keeps_nothing(
    shop: Site, figure: Figure
) -> None:
    known, storage = len(UPGRADES), shop.gateways[0].storage
    name = storage.replace(f":{PASSWORD}", "")
    newer = f"{name} was upgraded by a newer gateway to version {known + 1}; this one knows {known}: upgrade it"

    def outdated() -> None:
        shop.cluster.sql(f"UPDATE gateway.meta SET version = {known + 1}, compatible_from = {known + 1}", "started")
        shop.cluster.terminate_backends("started")
        for each in shop.gateways:
            seconds_until(each.url, 503)
            assert each.log.count(newer) == 1, each.log
        late = Gateway(storage, shop.gateways[0].folder.parent / "late")
        late.begin()
        assert (late.end(), late.log) == (1, f"Error: {newer}\n")
        shop.cluster.sql(RESTORE, "started")

    await shop.hold([outdated], figure)
