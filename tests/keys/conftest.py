"""What the tests of keys share: an empty key file, and a database without credentials."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from gateway.storage.postgres.connection.address import Address
from gateway.storage.postgres.connection.session import Session
from gateway.storage.postgres.keys.store import PostgresKeyStore
from gateway.storage.postgres.keys.tables import NEW_SECRETS
from gateway.storage.postgres.tables import upgrade
from gateway.storage.sqlite.keys.key_file import KeyFile
from tests.kit.postgres.cluster import Cluster
from tests.kit.postgres.fixtures import NUMBERS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.db"


@pytest.fixture
def keys(path: Path) -> Iterator[KeyFile]:
    with KeyFile.open(path, make=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def migrated(clusters: Callable[[str], Cluster]) -> str:
    """The URL of a database with the gateway's tables, for all tests of a module. It goes when its server does."""
    url = clusters("wheel").create_database(f"keys_{next(NUMBERS)}")
    asyncio.run(make_tables(url))
    return url


@pytest.fixture
async def key_database(migrated: str) -> str:
    """The URL of a database with the gateway's tables, and no credentials but a salt of its own."""
    connection = await asyncpg.connect(migrated)
    await connection.execute("TRUNCATE gateway.credentials, gateway.secrets")
    await connection.execute(NEW_SECRETS)
    await connection.close()
    return migrated


async def make_tables(url: str) -> None:
    session = Session(Address(url), "gateway test")
    await upgrade(session)
    await session.close()


@asynccontextmanager
async def opened_in(url: str) -> AsyncIterator[PostgresKeyStore]:
    session = Session(Address(url), "gateway test")
    try:
        yield PostgresKeyStore(session)
    finally:
        await session.close()
