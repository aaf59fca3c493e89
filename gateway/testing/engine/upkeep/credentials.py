"""What a store of credentials promises: adding and finding them, the admin token, all or nothing."""

import re

import attrs

from gateway.keys.credential import CredentialRecord, KeyFileError, NewCredential
from gateway.keys.keyring import Grant
from gateway.keys.store import KeyStore
from gateway.testing.engine.expect import equal, holds, raises
from gateway.testing.engine.given.keys import NOW, VALUE, opened_once
from gateway.testing.engine.given.toy import API_KEY, SITE, TOY
from gateway.testing.engine.promise import Family

FAMILY = Family("credentials", opened_once)


@FAMILY.promise(
    "keep a credential with every scope of its dialect where none are given, and return the value once; keep "
    "the hash alone (gateway.keys.keyring.digest)"
)
async def a_given_value_is_added_with_every_scope_and_any_origin(store: KeyStore) -> None:
    added = await store.add("shop", TOY, API_KEY, now=NOW, value=VALUE)
    record = CredentialRecord(added.record.id, "shop", "toy", "api_key", "...cdef", ("read", "write"), (), NOW)
    equal(added, NewCredential(record, VALUE))
    holds(re.fullmatch(r"key_[0-9a-f]{12}", record.id))
    equal(await store.list(), (record,))


@FAMILY.promise("hash a value as its kind normalizes it (CredentialKind.normalize)")
async def a_value_is_found_in_its_canonical_spelling(store: KeyStore) -> None:
    added = await store.add("shop", TOY, SITE, now=NOW, value="ABC")
    grant = Grant(added.record.id, "shop", "toy", "site", frozenset({"read", "write"}))
    ring = await store.load()
    equal((ring.find("toy", "site", "abc"), ring.find("toy", "site", "ABC")), (grant, None))


@FAMILY.promise("a value that is known to its project is the same credential, with the same id")
async def a_value_that_is_added_again_keeps_its_id(store: KeyStore) -> None:
    first = await store.add("shop", TOY, API_KEY, now=NOW, value=VALUE, origins=["a.example"])
    again = await store.add("shop", TOY, API_KEY, now=NOW + 1, value="Bearer " + VALUE)
    equal((again.record, await store.list()), (first.record, (first.record,)))


@FAMILY.promise("give a value that is added again the scopes and origins of now")
async def a_value_that_is_added_again_takes_the_new_scopes_and_origins(store: KeyStore) -> None:
    first = await store.add("shop", TOY, API_KEY, now=NOW, value=VALUE, scopes=["read"], origins=["a.example"])
    second = await store.add("shop", TOY, API_KEY, now=NOW, value=VALUE, scopes=["write"], origins=["b.example"])
    equal(second.record, attrs.evolve(first.record, scopes=("write",), origins=("b.example",)))
    equal(await store.list(), (second.record,))


@FAMILY.promise("raise KeyFileError for a value that belongs to another project, and name the credential")
async def a_value_of_another_project_is_refused(store: KeyStore) -> None:
    added = await store.add("shop", TOY, API_KEY, now=NOW, value=VALUE)
    with raises(KeyFileError, match=f"^this api_key already belongs to project shop, as {added.record.id}$"):
        await store.add("blog", TOY, API_KEY, now=NOW, value=VALUE)
    equal(await store.list(), (added.record,))


@FAMILY.promise(
    "keep a revoked credential with the time of its first revocation, find it as revoked, and refuse to add "
    "its value again"
)
async def a_revoked_value_is_still_known_as_revoked(store: KeyStore) -> None:
    added = await store.add("shop", TOY, API_KEY, now=NOW, value=VALUE)
    revoked = attrs.evolve(added.record, revoked_at=NOW + 5)
    equal(await store.revoke(added.record.id, now=NOW + 5), revoked)
    equal(await store.revoke(added.record.id, now=NOW + 9), revoked)
    with raises(
        KeyFileError,
        match=rf"^this api_key was revoked \({added.record.id}\) and cannot be added again; use another value$",
    ):
        await store.add("shop", TOY, API_KEY, now=NOW, value=VALUE)
    grant = (await store.load()).find("toy", "api_key", VALUE)
    equal(grant, Grant(added.record.id, "shop", "toy", "api_key", frozenset({"read", "write"}), revoked=True))


@FAMILY.promise("keep the hash of the newest admin token alone")
async def only_the_newest_admin_token_works(store: KeyStore) -> None:
    equal((await store.admin()).verify(""), False)
    first = await store.new_admin_token()
    admin = await store.admin()
    equal([admin.verify(token) for token in (first, first + "x", "")], [True, False, False])
    second = await store.new_admin_token()
    admin = await store.admin()
    equal([admin.verify(token) for token in (first, second)], [False, True])
    equal((second in repr(admin), repr(admin)), (False, "Admin()"))


@FAMILY.promise("list credentials in the order in which they were added, not by time alone")
async def credentials_of_the_same_instant_are_listed_in_the_order_of_addition(store: KeyStore) -> None:
    added = [(await store.add("shop", TOY, API_KEY, now=NOW)).record for _ in range(5)]
    equal(await store.list(), tuple(added))


@FAMILY.promise("call `show` before the commit, and roll back when it raises")
async def nothing_changes_if_the_value_cannot_be_shown(store: KeyStore) -> None:
    class Unwritable(OSError):
        pass

    def show(_: object) -> None:
        raise Unwritable

    old = (await store.add("shop", TOY, API_KEY, now=NOW)).record
    before = (await store.list(), await store.admin())
    with raises(Unwritable):
        await store.add("shop", TOY, API_KEY, now=NOW, value=VALUE, show=show)
    with raises(Unwritable):
        await store.rotate(old.id, API_KEY, now=NOW, show=show)
    with raises(Unwritable):
        await store.new_admin_token(show)
    equal((await store.list(), await store.admin()), before)


@FAMILY.promise("make an `exclusive` block one transaction")
async def an_exclusive_block_is_one_change_which_an_exception_undoes(store: KeyStore) -> None:
    async with store.exclusive():
        old = (await store.add("shop", TOY, API_KEY, now=NOW)).record
        token = await store.new_admin_token()

    async def change() -> None:
        async with store.exclusive():
            await store.revoke(old.id, now=NOW)
            await store.add("shop", TOY, API_KEY, now=NOW)
            await store.new_admin_token()
            raise ZeroDivisionError

    with raises(ZeroDivisionError):
        await change()
    equal((await store.list(), (await store.admin()).verify(token)), ((old,), True))
