"""What only the credentials in a database promise: one salt, errors of one line. The kit has the rest."""

import asyncio

import asyncpg
import pytest

from gateway.keys.admin import Admin
from gateway.keys.credential import KeyFileError, NoCredentials
from gateway.keys.keyring import Keyring
from gateway.storage.engines import open_store
from gateway.storage.postgres.connection.address import Address
from gateway.store_error import StoreError
from tests.keys.conftest import make_tables, opened_in
from tests.kit.fake_dialect import API_KEY, dialect
from tests.kit.postgres.cluster import free_port

NOW = 1767323045678
VALUE = "acme_0123456789abcdef"


async def test_no_secret_value_and_no_admin_token_is_in_the_database(key_database: str) -> None:
    async with opened_in(key_database) as keys:
        token = await keys.new_admin_token()
        await keys.add("shop", dialect, API_KEY, now=NOW, value=VALUE)
    connection = await asyncpg.connect(key_database)
    rows = [*await connection.fetch("TABLE gateway.credentials"), *await connection.fetch("TABLE gateway.secrets")]
    await connection.close()
    content = repr(rows)
    assert (VALUE in content, token in content, "cdef" in content) == (False, False, True)


async def test_gateways_that_start_at_once_on_an_empty_database_share_one_salt(database: str) -> None:
    async def start() -> Admin:
        await make_tables(database)
        async with opened_in(database) as keys:
            return await keys.admin()

    admins = set(await asyncio.gather(*(start() for _ in range(4))))
    assert [(len(admin.salt), admin.hash) for admin in admins] == [(32, None)]


async def test_a_database_without_credentials_is_told_of_in_one_line(database: str) -> None:
    message = f"{Address(database).name} holds no credentials yet; `gateway keys add` creates the first"
    async with opened_in(database) as keys:
        for call in (keys.list(), keys.load(), keys.admin(), keys.revoke("key_x", now=NOW)):
            with pytest.raises(NoCredentials) as caught:
                await call
            assert str(caught.value) == message


async def test_a_server_that_is_not_there_is_told_of_in_one_line_without_the_password() -> None:
    port = free_port()
    async with opened_in(f"postgresql://gateway:secret-word@127.0.0.1:{port}/shop") as keys:
        for call in (keys.list(), keys.add("shop", dialect, API_KEY, now=NOW)):
            with pytest.raises(StoreError) as caught:
                await call
            assert str(caught.value) == (
                f"cannot use the credentials in postgresql://gateway@127.0.0.1:{port}/shop: Connection refused"
            )


async def test_an_id_that_no_text_of_the_database_can_be_is_unknown(key_database: str) -> None:
    async with opened_in(key_database) as keys:
        for key_id in ("key_\0", "key_\udcff"):
            with pytest.raises(KeyFileError) as caught:
                await keys.get(key_id)
            assert str(caught.value) == f"there is no credential {key_id!r}; `gateway keys list` shows them"


async def test_readers_do_not_wait_for_a_change_in_progress(key_database: str) -> None:
    async with opened_in(key_database) as changing, opened_in(key_database) as reading:
        async with changing.exclusive():
            await changing.add("shop", dialect, API_KEY, now=NOW)
            assert await reading.list() == ()
        assert await reading.list() == await changing.list() != ()


async def test_a_salt_that_is_gone_is_told_of_in_one_line(key_database: str) -> None:
    connection = await asyncpg.connect(key_database)
    await connection.execute("DELETE FROM gateway.secrets")
    await connection.close()
    async with opened_in(key_database) as keys:
        for call in (keys.load(), keys.add("shop", dialect, API_KEY, now=NOW), keys.new_admin_token()):
            with pytest.raises(KeyFileError) as caught:
                await call
            assert str(caught.value) == (
                "gateway.secrets has lost rows without which no credential can be checked; restore a backup"
            )


async def test_a_store_makes_its_tables_for_the_first_credential_and_watches_them(database: str) -> None:
    store = open_store(database)
    reported = asyncio.Queue[Keyring]()
    async with store.keys(make=True) as keys:
        added = await keys.add("shop", dialect, API_KEY, now=NOW, value=VALUE)
    watching = asyncio.create_task(store.watch_keys(lambda ring, _admin: reported.put_nowait(ring)))
    async with store.keys() as keys:
        found = (await reported.get()).find("acme", "api_key", VALUE)
        assert found is not None
        assert (found.id, await keys.list()) == (added.record.id, (added.record,))
    watching.cancel()
    await asyncio.wait([watching])
