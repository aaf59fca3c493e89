"""Tables of an earlier version get what later ones have, and keep what is in them."""

import asyncpg

from gateway.storage.engines import open_store
from gateway.storage.postgres.connection.address import Address
from gateway.storage.postgres.connection.session import Session
from gateway.storage.postgres.tables import UPGRADES, upgrade

ADD = (
    "INSERT INTO gateway.credentials (number, id, project, dialect, kind, hint, scopes, origins, created_at, "
    "expires_at, hash) VALUES ($1::bigint, $2, 'shop', 'toy', 'api_key', NULL, '{}', '{}', 1, $3, $4)"
)


async def test_credentials_of_the_first_version_get_labels_and_rotated_ones_are_still_known_as_such(
    database: str,
) -> None:
    session = Session(Address(database), "gateway test")
    await upgrade(session, UPGRADES[:1], 1)
    connection = await asyncpg.connect(database)
    await connection.execute(ADD, 1, "key_1", None, b"1")
    await connection.execute(ADD, 2, "key_2", 5000, b"2")
    await upgrade(session)
    # As a gateway of the first version, which goes on meanwhile.
    await connection.execute(ADD, 3, "key_3", None, b"3")
    await connection.close()
    await session.close()
    store = open_store(database)
    async with store.keys() as keys:
        found = [(each.id, each.label, each.rotated, each.status(4999)) for each in await keys.list()]
    assert found == [
        ("key_1", "", False, "active"),
        ("key_2", "", True, "expiring"),
        ("key_3", "", False, "active"),
    ]
    async with store.records() as records:
        assert await records.credential_uses(0) == {}
