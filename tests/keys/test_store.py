"""What every engine's KeyStore does: adding, revoking and rotating credentials, the admin token, changes at once."""

import asyncio
import re
from pathlib import Path

import attrs
import pytest

from gateway.keys.changes import KeyUpdate
from gateway.keys.credential import CredentialRecord, KeyFileError, NewCredential
from gateway.keys.keyring import Grant
from gateway.keys.store import KeyStore
from gateway.operate.first_start import FirstStart, make_keys
from gateway.storage.sqlite.keys.store import SqliteKeyStore
from tests.keys.conftest import OpenKeys
from tests.kit.fake_dialect import API_KEY, SITE, dialect

NOW = 1767323045678
VALUE = "acme_0123456789abcdef"


async def test_a_given_value_is_added_with_every_scope_and_any_origin(store: KeyStore) -> None:
    added = await store.add("shop", dialect, API_KEY, now=NOW, value=VALUE)
    record = CredentialRecord(added.record.id, "shop", "acme", "api_key", "...cdef", ("read", "write"), (), NOW)
    assert added == NewCredential(record, VALUE)
    assert re.fullmatch(r"key_[0-9a-f]{12}", record.id)
    assert await store.list() == (record,)


async def test_a_value_is_found_in_its_canonical_spelling(store: KeyStore) -> None:
    added = await store.add("shop", dialect, SITE, now=NOW, value="ABC")
    grant = Grant(added.record.id, "shop", "acme", "site", frozenset({"read", "write"}))
    ring = await store.load()
    assert (ring.find("acme", "site", "abc"), ring.find("acme", "site", "ABC")) == (grant, None)


async def test_a_value_that_is_added_again_keeps_its_id(store: KeyStore) -> None:
    first = await store.add("shop", dialect, API_KEY, now=NOW, value=VALUE, origins=["a.example"])
    again = await store.add("shop", dialect, API_KEY, now=NOW + 1, value="Bearer " + VALUE)
    assert (again.record, await store.list()) == (first.record, (first.record,))


async def test_a_value_that_is_added_again_takes_the_new_scopes_and_origins(store: KeyStore) -> None:
    first = await store.add("shop", dialect, API_KEY, now=NOW, value=VALUE, scopes=["read"], origins=["a.example"])
    second = await store.add("shop", dialect, API_KEY, now=NOW, value=VALUE, scopes=["write"], origins=["b.example"])
    assert second.record == attrs.evolve(first.record, scopes=("write",), origins=("b.example",))
    assert await store.list() == (second.record,)


async def test_a_value_of_another_project_is_refused(store: KeyStore) -> None:
    added = await store.add("shop", dialect, API_KEY, now=NOW, value=VALUE)
    with pytest.raises(KeyFileError, match=f"^this api_key already belongs to project shop, as {added.record.id}$"):
        await store.add("blog", dialect, API_KEY, now=NOW, value=VALUE)
    assert await store.list() == (added.record,)


async def test_a_revoked_value_is_still_known_as_revoked(store: KeyStore) -> None:
    added = await store.add("shop", dialect, API_KEY, now=NOW, value=VALUE)
    revoked = attrs.evolve(added.record, revoked_at=NOW + 5)
    assert await store.revoke(added.record.id, now=NOW + 5) == revoked
    assert await store.revoke(added.record.id, now=NOW + 9) == revoked
    with pytest.raises(
        KeyFileError,
        match=rf"^this api_key was revoked \({added.record.id}\) and cannot be added again; use another value$",
    ):
        await store.add("shop", dialect, API_KEY, now=NOW, value=VALUE)
    grant = (await store.load()).find("acme", "api_key", VALUE)
    assert grant == Grant(added.record.id, "shop", "acme", "api_key", frozenset({"read", "write"}), revoked=True)


async def test_rotating_adds_a_successor_and_ends_the_old_value_after_its_grace(store: KeyStore) -> None:
    old = await store.add("shop", dialect, API_KEY, now=NOW, value=VALUE, scopes=["read"], origins=["a.example"])
    new = await store.rotate(old.record.id, API_KEY, now=NOW + 10, grace=60)
    ended = attrs.evolve(old.record, expires_at=NOW + 60_010, rotated=True)
    successor = attrs.evolve(old.record, id=new.record.id, masked="..." + new.value[-4:], created_at=NOW + 10)
    assert await store.list() == (ended, successor)
    assert [ended.status(now) for now in (NOW, NOW + 60_009, NOW + 60_010)] == ["expiring", "expiring", "rotated"]
    ring = await store.load()
    before, after = ring.find("acme", "api_key", VALUE), ring.find("acme", "api_key", new.value)
    assert before is not None
    assert after is not None
    assert [before.is_good(NOW + 60_009), before.is_good(NOW + 60_010), after.is_good(NOW + 60_010)] == [
        True,
        False,
        True,
    ]


async def test_only_an_active_credential_can_be_rotated(store: KeyStore) -> None:
    added = await store.add("shop", dialect, API_KEY, now=NOW)
    await store.rotate(added.record.id, API_KEY, now=NOW, grace=60)
    with pytest.raises(KeyFileError, match=r"is expiring; only an active credential can be rotated$"):
        await store.rotate(added.record.id, API_KEY, now=NOW)
    await store.revoke(added.record.id, now=NOW)
    with pytest.raises(KeyFileError, match=r"is revoked; only an active credential can be rotated$"):
        await store.rotate(added.record.id, API_KEY, now=NOW)
    assert len(await store.list()) == 2


async def test_a_credential_has_a_label_and_an_end_of_its_own(store: KeyStore) -> None:
    added = (await store.add("shop", dialect, API_KEY, now=NOW, value=VALUE, label=" Till 2 ", expires=NOW + 10)).record
    assert (added.label, added.expires_at, await store.list()) == ("Till 2", NOW + 10, (added,))
    assert [added.status(now) for now in (NOW, NOW + 9, NOW + 10)] == ["active", "active", "expired"]
    grant = (await store.load()).find("acme", "api_key", VALUE)
    assert grant is not None
    assert [grant.is_good(now) for now in (NOW + 9, NOW + 10)] == [True, False]


async def test_an_update_changes_what_it_names_and_leaves_the_rest(store: KeyStore) -> None:
    old = (await store.add("shop", dialect, API_KEY, now=NOW, value=VALUE, label="Old", origins=["a.example"])).record
    update = KeyUpdate.checked(dialect, label="New", scopes=["read"], expires=NOW + 10)
    changed = attrs.evolve(old, label="New", scopes=("read",), expires_at=NOW + 10)
    assert await store.update(old.id, update, now=NOW) == changed
    back = KeyUpdate.checked(dialect, label="", origins=[], expires="never")
    left = attrs.evolve(changed, label="", origins=(), expires_at=None)
    assert await store.update(old.id, back, now=NOW + 20) == left
    assert (await store.list(), await store.get(old.id)) == ((left,), left)
    with pytest.raises(KeyFileError, match=r"^there is no credential 'key_x'"):
        await store.update("key_x", update, now=NOW)


async def test_of_a_revoked_or_rotated_credential_only_the_label_changes(store: KeyStore) -> None:
    rotated = (await store.add("shop", dialect, API_KEY, now=NOW)).record.id
    revoked = (await store.rotate(rotated, API_KEY, now=NOW, grace=60)).record.id
    await store.revoke(revoked, now=NOW)
    for key_id, status in ((rotated, "expiring"), (revoked, "revoked")):
        for update in (KeyUpdate(expires="never"), KeyUpdate(origins=()), KeyUpdate(scopes=("read",), label="x")):
            with pytest.raises(KeyFileError, match=f"^{key_id} is {status}; only its label can be changed$"):
                await store.update(key_id, update, now=NOW)
        assert (await store.update(key_id, KeyUpdate(label="Gone"), now=NOW)).label == "Gone"


async def test_a_successor_keeps_label_and_end_and_no_grace_goes_beyond_it(store: KeyStore) -> None:
    old = (await store.add("shop", dialect, API_KEY, now=NOW, label="Till", expires=NOW + 20_000)).record
    new = (await store.rotate(old.id, API_KEY, now=NOW, grace=60)).record
    assert await store.get(old.id) == attrs.evolve(old, rotated=True)
    assert (new.label, new.expires_at, new.rotated) == ("Till", NOW + 20_000, False)


async def test_an_expired_value_works_again_once_it_gets_another_end(store: KeyStore) -> None:
    old = (await store.add("shop", dialect, API_KEY, now=NOW, value=VALUE, expires=NOW + 10)).record
    hint = f"`gateway keys update {old.id} --expires never` lets it work again"
    with pytest.raises(KeyFileError, match=rf"^this api_key has expired \({old.id}\); {hint}$"):
        await store.add("shop", dialect, API_KEY, now=NOW + 10, value=VALUE)
    again = (await store.add("shop", dialect, API_KEY, now=NOW + 10, value=VALUE, expires="never")).record
    assert (again.id, again.expires_at, again.status(NOW + 10)) == (old.id, None, "active")
    with pytest.raises(
        KeyFileError, match=r"^the end of the credential is not in the future; to end it now, revoke it$"
    ):
        await store.update(old.id, KeyUpdate(expires=NOW), now=NOW)


async def test_an_unknown_id_is_an_error(store: KeyStore) -> None:
    message = r"^there is no credential 'key_x'; `gateway keys list` shows them$"
    with pytest.raises(KeyFileError, match=message):
        await store.get("key_x")
    with pytest.raises(KeyFileError, match=message):
        await store.revoke("key_x", now=NOW)


async def test_only_the_newest_admin_token_works(store: KeyStore) -> None:
    assert (await store.admin()).verify("") is False
    first = await store.new_admin_token()
    admin = await store.admin()
    assert [admin.verify(token) for token in (first, first + "x", "")] == [True, False, False]
    second = await store.new_admin_token()
    admin = await store.admin()
    assert [admin.verify(token) for token in (first, second)] == [False, True]
    assert (second in repr(admin), repr(admin)) == (False, "Admin()")


async def test_credentials_of_the_same_instant_are_listed_in_the_order_of_addition(store: KeyStore) -> None:
    added = [(await store.add("shop", dialect, API_KEY, now=NOW)).record for _ in range(5)]
    assert await store.list() == tuple(added)


async def test_nothing_changes_if_the_value_cannot_be_shown(store: KeyStore) -> None:
    class Unwritable(OSError):
        pass

    def show(_: object) -> None:
        raise Unwritable

    old = (await store.add("shop", dialect, API_KEY, now=NOW)).record
    before = (await store.list(), await store.admin())
    with pytest.raises(Unwritable):
        await store.add("shop", dialect, API_KEY, now=NOW, value=VALUE, show=show)
    with pytest.raises(Unwritable):
        await store.rotate(old.id, API_KEY, now=NOW, show=show)
    with pytest.raises(Unwritable):
        await store.new_admin_token(show)
    assert (await store.list(), await store.admin()) == before


async def test_an_exclusive_block_is_one_change_which_an_exception_undoes(store: KeyStore) -> None:
    async with store.exclusive():
        old = (await store.add("shop", dialect, API_KEY, now=NOW)).record
        token = await store.new_admin_token()

    async def change() -> None:
        async with store.exclusive():
            await store.revoke(old.id, now=NOW)
            await store.add("shop", dialect, API_KEY, now=NOW)
            await store.new_admin_token()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await change()
    assert (await store.list(), (await store.admin()).verify(token)) == ((old,), True)


async def test_of_gateways_that_start_at_once_one_makes_the_first_credentials(open_keys: OpenKeys) -> None:
    async def start() -> FirstStart:
        async with open_keys() as store:
            return await make_keys(store, [dialect, attrs.evolve(dialect, name="other")], NOW)

    made = await asyncio.gather(*(start() for _ in range(8)))
    [first] = [each for each in made if each != FirstStart()]
    async with open_keys() as store:
        stored, ring, admin = await store.list(), await store.load(), await store.admin()
    found = [ring.find(each.dialect.name, "api_key", each.value) for each in first.credentials]
    assert [grant and grant.id for grant in found] == [record.id for record in stored]
    assert [record.dialect for record in stored] == ["acme", "other"]
    assert admin.verify(str(first.admin_token))


async def test_many_commands_at_once_lose_nothing_and_double_nothing(open_keys: OpenKeys) -> None:
    async def add(number: int) -> str:
        async with open_keys() as store:
            return (await store.add("shop", dialect, API_KEY, now=NOW, value=f"value-{number % 4}")).record.id

    ids = await asyncio.gather(*(add(number) for number in range(12)))
    async with open_keys() as store:
        assert {record.id for record in await store.list()} == set(ids)
    assert len(set(ids)) == 4


async def test_of_two_rotations_at_once_one_wins(open_keys: OpenKeys) -> None:
    async def rotate() -> str:
        async with open_keys() as store:
            return (await store.rotate(old.id, API_KEY, now=NOW, grace=60)).record.id

    async with open_keys() as store:
        old = (await store.add("shop", dialect, API_KEY, now=NOW)).record
    results = await asyncio.gather(rotate(), rotate(), return_exceptions=True)
    [new] = [result for result in results if isinstance(result, str)]
    [refused] = [str(result) for result in results if isinstance(result, KeyFileError)]
    assert refused == f"{old.id} is expiring; only an active credential can be rotated"
    async with open_keys() as store:
        assert [record.id for record in await store.list()] == [old.id, new]


async def test_what_moves_to_another_store_works_there_with_the_same_values(
    open_keys: OpenKeys, tmp_path: Path
) -> None:
    async with SqliteKeyStore.opened(tmp_path / "other.db", make=True) as source, open_keys() as store:
        old = await source.add("shop", dialect, API_KEY, now=NOW, value=VALUE, scopes=["read"], origins=["a.example"])
        await source.update(old.record.id, KeyUpdate(label="Till"), now=NOW)
        await source.rotate(old.record.id, API_KEY, now=NOW, grace=60)
        await source.revoke((await source.add("shop", dialect, SITE, now=NOW)).record.id, now=NOW)
        await store.replace(await source.stored())
        token = await source.new_admin_token()
        await store.replace(await source.stored())
        assert await store.stored() == await source.stored()
        again = await store.add("blog", dialect, API_KEY, now=NOW, value="acme_fedcba9876543210")
        assert ((await store.load()).find("acme", "api_key", VALUE), (await store.admin()).verify(token)) == (
            (await source.load()).find("acme", "api_key", VALUE),
            True,
        )
        await source.replace(await store.stored())
        assert (await source.list())[-1] == again.record


async def test_credentials_are_not_replaced_by_those_of_a_stranger(open_keys: OpenKeys, tmp_path: Path) -> None:
    async with SqliteKeyStore.opened(tmp_path / "other.db", make=True) as stranger, open_keys() as store:
        await store.add("shop", dialect, API_KEY, now=NOW)
        before = await store.stored()
        with pytest.raises(KeyFileError, match=r" has credentials of its own; move into a store without any$"):
            await store.replace(await stranger.stored())
        assert await store.stored() == before
