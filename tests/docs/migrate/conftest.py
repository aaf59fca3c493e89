"""One team for all pages of docs/migrate/: it has done what stands under "Before you start" in each of them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.docs.migrate.guide import MIGRATIONS, SECTIONS, guide
from tests.docs.migrate.team import Team, environ, install, typed
from tests.kit.serving import serving
from tests.sdk.programs import Drive
from tests.sdk.site import hosting
from tests.sdk.stored import Kept


@pytest.fixture(scope="session")
def shell(forked_gateway: Path) -> Mapping[str, str]:
    """The environment of the team's shells."""
    return environ(forked_gateway)


@pytest.fixture(scope="session")
def team(tmp_path_factory: pytest.TempPathFactory, drive: Drive, shell: Mapping[str, str]) -> Iterator[Team]:
    """The keys are added before the gateway starts: a running one takes up to two seconds to know them."""
    folder = tmp_path_factory.mktemp("migrate")
    (folder / "data").mkdir(mode=0o700)
    install(folder)
    for vendor in MIGRATIONS:
        typed(guide(vendor).blocks("sh", SECTIONS[0])[0], folder, shell)
    with serving(folder / "data") as served, hosting() as site:
        by_hand = {}
        for vendor in MIGRATIONS:
            keys, first_event = guide(vendor, gateway=served.url).blocks("sh", SECTIONS[0])
            assert served.url not in keys
            by_hand[vendor] = typed(first_event, folder, shell)
        yield Team(folder=folder, environ=shell, gateway=served, site=site, by_hand=by_hand)


@pytest.fixture
def stored(team: Team) -> Iterator[Kept]:
    """The events that this test causes; nothing may be left that it did not take."""
    kept = Kept(team.gateway.data / "events.db")
    kept.rest()
    yield kept
    assert kept.rest() == []
