"""What several commands at once, and moving credentials, promise."""

import asyncio

import attrs

from gateway.keys.changes import KeyUpdate
from gateway.keys.credential import KeyFileError
from gateway.operate.first_start import FirstStart, make_keys
from gateway.testing.engine.expect import equal, holds, raises
from gateway.testing.engine.given.keys import NOW, VALUE, Keys, opened
from gateway.testing.engine.given.toy import API_KEY, SITE, TOY
from gateway.testing.engine.promise import Family

FAMILY = Family("keys at once", opened)


@FAMILY.promise("let an `exclusive` block wait for that of another process, and read what it wrote")
async def of_gateways_that_start_at_once_one_makes_the_first_credentials(keys: Keys) -> None:
    async def start() -> FirstStart:
        async with keys.opened() as store:
            return await make_keys(store, [TOY, attrs.evolve(TOY, name="other")], NOW)

    made = await asyncio.gather(*(start() for _ in range(8)))
    [first] = [each for each in made if each != FirstStart()]
    async with keys.opened() as store:
        stored, ring, admin = await store.list(), await store.load(), await store.admin()
    found = [ring.find(each.dialect.name, "api_key", each.value) for each in first.credentials]
    equal([grant and grant.id for grant in found], [record.id for record in stored])
    equal([record.dialect for record in stored], ["toy", "other"])
    holds(admin.verify(str(first.admin_token)))


@FAMILY.promise("lock before reading what is there, so that two commands do not add the same value twice")
async def many_commands_at_once_lose_nothing_and_double_nothing(keys: Keys) -> None:
    async def add(number: int) -> str:
        async with keys.opened() as store:
            return (await store.add("shop", TOY, API_KEY, now=NOW, value=f"value-{number % 4}")).record.id

    ids = await asyncio.gather(*(add(number) for number in range(12)))
    async with keys.opened() as store:
        equal({record.id for record in await store.list()}, set(ids))
    equal(len(set(ids)), 4)


@FAMILY.promise("lock before reading, so that the second of two rotations finds the credential expiring")
async def of_two_rotations_at_once_one_wins(keys: Keys) -> None:
    async def rotate() -> str:
        async with keys.opened() as store:
            return (await store.rotate(old.id, API_KEY, now=NOW, grace=60)).record.id

    async with keys.opened() as store:
        old = (await store.add("shop", TOY, API_KEY, now=NOW)).record
    results = await asyncio.gather(rotate(), rotate(), return_exceptions=True)
    [new] = [result for result in results if isinstance(result, str)]
    [refused] = [str(result) for result in results if isinstance(result, KeyFileError)]
    equal(refused, f"{old.id} is expiring; only an active credential can be rotated")
    async with keys.opened() as store:
        equal([record.id for record in await store.list()], [old.id, new])


@FAMILY.promise("`stored` returns all that `replace` needs in another store: hashes, the salt and the admin token")
async def what_moves_to_another_store_works_there_with_the_same_values(keys: Keys) -> None:
    async with keys.others() as source, keys.opened() as store:
        old = await source.add("shop", TOY, API_KEY, now=NOW, value=VALUE, scopes=["read"], origins=["a.example"])
        await source.update(old.record.id, KeyUpdate(label="Till"), now=NOW)
        await source.rotate(old.record.id, API_KEY, now=NOW, grace=60)
        await source.revoke((await source.add("shop", TOY, SITE, now=NOW)).record.id, now=NOW)
        await store.replace(await source.stored())
        token = await source.new_admin_token()
        await store.replace(await source.stored())
        equal(await store.stored(), await source.stored())
        again = await store.add("blog", TOY, API_KEY, now=NOW, value="toy_fedcba9876543210")
        equal(
            ((await store.load()).find("toy", "api_key", VALUE), (await store.admin()).verify(token)),
            (
                (await source.load()).find("toy", "api_key", VALUE),
                True,
            ),
        )
        await source.replace(await store.stored())
        equal((await source.list())[-1], again.record)


@FAMILY.promise("refuse to `replace` credentials that have another salt")
async def credentials_are_not_replaced_by_those_of_a_stranger(keys: Keys) -> None:
    async with keys.others() as stranger, keys.opened() as store:
        await store.add("shop", TOY, API_KEY, now=NOW)
        before = await store.stored()
        with raises(KeyFileError, match=r" has credentials of its own; move into a store without any$"):
            await store.replace(await stranger.stored())
        equal(await store.stored(), before)
