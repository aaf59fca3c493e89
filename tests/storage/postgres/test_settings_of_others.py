"""What a database, a role or a server may have set: it changes nothing that a gateway promises, or is refused."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from gateway.storage.contract import Appended, AppendStatus, Entry, EventRow
from gateway.storage.engines import open_store
from gateway.storage.postgres.connection.address import Address
from gateway.storage.store import StoreSettings
from gateway.store_error import StoreError
from tests.kit.postgres.cluster import Cluster

ENTRY = Entry(
    project="shop",
    dialect="toy",
    route="track",
    received_at=1_800_000_000_000,
    rows=(EventRow(b'{"project":"shop","received_at":"2027-01-15T08:00:00.000Z"}'),),
)


@pytest.fixture
def odd(clusters: Callable[[str], Cluster]) -> Iterator[Callable[[str], str]]:
    """Makes a database of an encoding, and returns its URL."""
    cluster = clusters("wheel")

    def of(encoding: str) -> str:
        cluster.sql(f"CREATE DATABASE odd OWNER gateway ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
        return cluster.url("odd")

    yield of
    cluster.drop_database("odd")


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
async def test_a_database_that_cannot_hold_every_text_is_refused(odd: Callable[[str], str], encoding: str) -> None:
    url = odd(encoding)
    with pytest.raises(StoreError) as refused:
        await open_store(url).prepare()
    assert str(refused.value) == (f"cannot use {Address(url).name}: its encoding is {encoding}; the gateway needs UTF8")


async def test_a_role_without_rights_is_told_which_role_to_use(
    prepared: str, clusters: Callable[[str], Cluster]
) -> None:
    cluster = clusters("wheel")
    cluster.sql("CREATE ROLE stranger LOGIN")
    try:
        url = cluster.url(urlsplit(prepared).path[1:], role="stranger")
        with pytest.raises(StoreError) as refused:
            await open_store(url).info()
    finally:
        cluster.sql("DROP ROLE stranger")
    assert str(refused.value) == (
        f"cannot use {Address(url).name}: permission denied for schema gateway; "
        "use the role that owns the database, or its schema gateway"
    )


async def test_what_a_role_wants_to_be_told_is_no_doubt_about_a_commit(
    prepared: str, clusters: Callable[[str], Cluster]
) -> None:
    name = urlsplit(prepared).path[1:]
    cluster = clusters("wheel")
    cluster.sql(f"ALTER DATABASE {name} SET client_min_messages = 'debug2'")
    # As PostgreSQL warns in every transaction that writes once transaction numbers run out.
    cluster.sql(
        "CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'soon'; RETURN NULL; END $$;"
        "CREATE TRIGGER warns AFTER INSERT ON gateway.receipts EXECUTE FUNCTION warn()",
        name,
    )
    async with open_store(prepared).storage(StoreSettings()) as storage:
        assert await storage.append(ENTRY) == Appended(AppendStatus.NEW)
