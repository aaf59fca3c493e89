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
from pathlib import Path

import pytest

from tests.kit.postgres.cluster import Cluster
from tests.kit.postgres.installation import INSTALLATIONS
from tests.kit.postgres.prepared import Databases

NUMBERS = itertools.count(1)
DATABASES: dict[Path, Databases] = {}
"""By the folder of their cluster."""


@pytest.fixture(scope="session")
def clusters() -> Iterator[Callable[[str], Cluster]]:
    """What starts the server of an installation, by its name, when it is first asked for; all stop at the end."""
    with contextlib.ExitStack() as stack:
        running: dict[str, Cluster] = {}

        def of(name: str) -> Cluster:
            if name not in running:
                running[name] = stack.enter_context(Cluster.started(INSTALLATIONS[name]()))
            return running[name]

        yield of


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
    databases = DATABASES.setdefault(cluster.folder, Databases(cluster))
    with databases.one() as url:
        yield url
