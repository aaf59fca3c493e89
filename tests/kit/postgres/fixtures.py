"""The fixtures `clusters`, `database` and `prepared`: a server of each installation, and a database for each test.

tests/conftest.py loads them. A test that asks for `database` gets the URL of one on the wheel's PostgreSQL. To run on
Debian's too:

    @pytest.mark.parametrize("database", INSTALLATIONS, indirect=True)
    async def test_something_holds(database: str) -> None: ...

`prepared` is the URL of a database that has the gateway's tables, without a row; its parameter is the same.

A test that kills, hangs or reconfigures a server makes a cluster of its own: see cluster.py.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterator

import pytest

from gateway.testing.postgres import lending
from tests.kit.postgres.cluster import Cluster
from tests.kit.postgres.installation import INSTALLATIONS

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def clusters() -> Callable[[str], Cluster]:
    """What gives the server of an installation, by its name: this process's, which the kit's checks use too.

    It is started when it is first asked for. All stop at the end of the run.
    """
    return lambda name: Cluster.of(lending.running(INSTALLATIONS[name]()))


def pytest_sessionfinish() -> None:
    """Stop the servers: a worker's process may end without a word."""
    lending.stop()


@pytest.fixture
def database(request: pytest.FixtureRequest, clusters: Callable[[str], Cluster]) -> Iterator[str]:
    """The URL of an empty database, which is dropped after the test. Its parameter is the installation's name."""
    cluster = clusters(getattr(request, "param", "wheel"))
    name = f"test_{next(NUMBERS)}"
    yield cluster.create_database(name)
    cluster.drop_database(name)


@pytest.fixture
def prepared(request: pytest.FixtureRequest, clusters: Callable[[str], Cluster]) -> Iterator[str]:
    """The URL of a database with the gateway's tables."""
    with with_tables(clusters(getattr(request, "param", "wheel"))) as url:
        yield url


@contextlib.contextmanager
def with_tables(cluster: Cluster) -> Iterator[str]:
    """A database with the gateway's tables, by its URL."""
    with lending.lent(cluster.installation) as url:
        yield url
