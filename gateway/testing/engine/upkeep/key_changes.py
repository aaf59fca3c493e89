"""What changing credentials promises: rotating, updating, ending."""

import attrs

from gateway.keys.changes import KeyUpdate
from gateway.keys.credential import KeyFileError
from gateway.keys.store import KeyStore
from gateway.testing.engine.expect import equal, raises
from gateway.testing.engine.given.keys import NOW, VALUE, opened_once
from gateway.testing.engine.given.toy import API_KEY, TOY
from gateway.testing.engine.promise import Family

FAMILY = Family("key changes", opened_once)


@FAMILY.promise(
    "give the old credential an end after its grace, and the new one the same scopes and origins, in one change"
)
async def rotating_adds_a_successor_and_ends_the_old_value_after_its_grace(store: KeyStore) -> None:
    old = await store.add("shop", TOY, API_KEY, now=NOW, value=VALUE, scopes=["read"], origins=["a.example"])
    new = await store.rotate(old.record.id, API_KEY, now=NOW + 10, grace=60)
    ended = attrs.evolve(old.record, expires_at=NOW + 60_010, rotated=True)
    successor = attrs.evolve(old.record, id=new.record.id, masked="..." + new.value[-4:], created_at=NOW + 10)
    equal(await store.list(), (ended, successor))
    equal([ended.status(now) for now in (NOW, NOW + 60_009, NOW + 60_010)], ["expiring", "expiring", "rotated"])
    ring = await store.load()
    before, after = ring.find("toy", "api_key", VALUE), ring.find("toy", "api_key", new.value)
    assert before is not None
    assert after is not None
    equal(
        [before.is_good(NOW + 60_009), before.is_good(NOW + 60_010), after.is_good(NOW + 60_010)],
        [
            True,
            False,
            True,
        ],
    )


@FAMILY.promise("refuse to rotate what is expiring or revoked")
async def only_an_active_credential_can_be_rotated(store: KeyStore) -> None:
    added = await store.add("shop", TOY, API_KEY, now=NOW)
    await store.rotate(added.record.id, API_KEY, now=NOW, grace=60)
    with raises(KeyFileError, match=r"is expiring; only an active credential can be rotated$"):
        await store.rotate(added.record.id, API_KEY, now=NOW)
    await store.revoke(added.record.id, now=NOW)
    with raises(KeyFileError, match=r"is revoked; only an active credential can be rotated$"):
        await store.rotate(added.record.id, API_KEY, now=NOW)
    equal(len(await store.list()), 2)


@FAMILY.promise("keep the label, without spaces around it, and the end")
async def a_credential_has_a_label_and_an_end_of_its_own(store: KeyStore) -> None:
    added = (await store.add("shop", TOY, API_KEY, now=NOW, value=VALUE, label=" Till 2 ", expires=NOW + 10)).record
    equal((added.label, added.expires_at, await store.list()), ("Till 2", NOW + 10, (added,)))
    equal([added.status(now) for now in (NOW, NOW + 9, NOW + 10)], ["active", "active", "expired"])
    grant = (await store.load()).find("toy", "api_key", VALUE)
    assert grant is not None
    equal([grant.is_good(now) for now in (NOW + 9, NOW + 10)], [True, False])


@FAMILY.promise("change the fields that KeyUpdate names, and return what the credential is now")
async def an_update_changes_what_it_names_and_leaves_the_rest(store: KeyStore) -> None:
    old = (await store.add("shop", TOY, API_KEY, now=NOW, value=VALUE, label="Old", origins=["a.example"])).record
    update = KeyUpdate.checked(TOY, label="New", scopes=["read"], expires=NOW + 10)
    changed = attrs.evolve(old, label="New", scopes=("read",), expires_at=NOW + 10)
    equal(await store.update(old.id, update, now=NOW), changed)
    back = KeyUpdate.checked(TOY, label="", origins=[], expires="never")
    left = attrs.evolve(changed, label="", origins=(), expires_at=None)
    equal(await store.update(old.id, back, now=NOW + 20), left)
    equal((await store.list(), await store.get(old.id)), ((left,), left))
    with raises(KeyFileError, match=r"^there is no credential 'key_x'"):
        await store.update("key_x", update, now=NOW)


@FAMILY.promise("refuse to change anything but the label of what is revoked or expiring")
async def of_a_revoked_or_rotated_credential_only_the_label_changes(store: KeyStore) -> None:
    rotated = (await store.add("shop", TOY, API_KEY, now=NOW)).record.id
    revoked = (await store.rotate(rotated, API_KEY, now=NOW, grace=60)).record.id
    await store.revoke(revoked, now=NOW)
    for key_id, status in ((rotated, "expiring"), (revoked, "revoked")):
        for update in (KeyUpdate(expires="never"), KeyUpdate(origins=()), KeyUpdate(scopes=("read",), label="x")):
            with raises(KeyFileError, match=f"^{key_id} is {status}; only its label can be changed$"):
                await store.update(key_id, update, now=NOW)
        equal((await store.update(key_id, KeyUpdate(label="Gone"), now=NOW)).label, "Gone")


@FAMILY.promise(
    "give a successor the label and the end of the old one, and let no grace go beyond the end that was set"
)
async def a_successor_keeps_label_and_end_and_no_grace_goes_beyond_it(store: KeyStore) -> None:
    old = (await store.add("shop", TOY, API_KEY, now=NOW, label="Till", expires=NOW + 20_000)).record
    new = (await store.rotate(old.id, API_KEY, now=NOW, grace=60)).record
    equal(await store.get(old.id), attrs.evolve(old, rotated=True))
    equal((new.label, new.expires_at, new.rotated), ("Till", NOW + 20_000, False))


@FAMILY.promise(
    "refuse to add an expired value unless it gets another end, and refuse an end that is not in the future"
)
async def an_expired_value_works_again_once_it_gets_another_end(store: KeyStore) -> None:
    old = (await store.add("shop", TOY, API_KEY, now=NOW, value=VALUE, expires=NOW + 10)).record
    hint = f"`gateway keys update {old.id} --expires never` lets it work again"
    with raises(KeyFileError, match=rf"^this api_key has expired \({old.id}\); {hint}$"):
        await store.add("shop", TOY, API_KEY, now=NOW + 10, value=VALUE)
    again = (await store.add("shop", TOY, API_KEY, now=NOW + 10, value=VALUE, expires="never")).record
    equal((again.id, again.expires_at, again.status(NOW + 10)), (old.id, None, "active"))
    with raises(KeyFileError, match=r"^the end of the credential is not in the future; to end it now, revoke it$"):
        await store.update(old.id, KeyUpdate(expires=NOW), now=NOW)


@FAMILY.promise("raise KeyFileError, in the words of the other engines, for an id that there is not")
async def an_unknown_id_is_an_error(store: KeyStore) -> None:
    message = r"^there is no credential 'key_x'; `gateway keys list` shows them$"
    with raises(KeyFileError, match=message):
        await store.get("key_x")
    with raises(KeyFileError, match=message):
        await store.revoke("key_x", now=NOW)
