"""What every engine keeps of the uses of credentials: by day, added up over processes, the last one for ever."""

import asyncio

from gateway.records.use_log import DAY, KEPT_DAYS
from gateway.storage.records import CredentialUse
from gateway.storage.store import Store
from gateway.testing.engine.expect import equal
from gateway.testing.engine.promise import Family, written_store

FAMILY = Family("uses", written_store)

TODAY = 20_000
NOON = TODAY * DAY + DAY // 2


async def used(store: Store, *uses: tuple[str, int, bool]) -> None:
    log = store.use_log()
    async with log.running():
        for credential_id, at, rejected in uses:
            log.add("shop", credential_id, at, rejected)


async def known(store: Store, day: int = TODAY) -> dict[str, CredentialUse]:
    async with store.records() as records:
        return await records.credential_uses(day)


@FAMILY.promise("answer with an empty mapping where no use was counted")
async def nothing_is_known_of_what_was_never_used(store: Store) -> None:
    equal(await known(store), {})


@FAMILY.promise("add the uses of a write to those of the same credential and day, and keep the time of the last one")
async def uses_are_added_up_by_credential_and_day(store: Store) -> None:
    await used(store, ("key_1", NOON - DAY, False), ("key_1", NOON, False), ("key_2", NOON + 1, True))
    await used(store, ("key_1", NOON + 2, True), ("key_1", NOON + 1, False))
    equal(await known(store), {"key_1": CredentialUse(NOON + 2, 3, 1), "key_2": CredentialUse(NOON + 1, 1, 1)})
    equal(
        await known(store, TODAY - 1),
        {
            "key_1": CredentialUse(NOON + 2, 1, 0),
            "key_2": CredentialUse(NOON + 1, 0, 0),
        },
    )


@FAMILY.promise("lock credentials in one order (sort them), so that two writers do not wait for each other")
async def several_processes_add_to_the_same_credentials_at_once(store: Store) -> None:
    uses = [(f"key_{number}", NOON + number, number % 2 == 1) for number in range(20)]
    await asyncio.gather(*[used(store, *(uses if turn % 2 else reversed(uses))) for turn in range(6)])
    equal(await known(store), {name: CredentialUse(at, 6, 6 if rejected else 0) for name, at, rejected in uses})


@FAMILY.promise("drop the days that are older than KEPT_DAYS, but for the last one of each credential")
async def old_days_go_but_for_the_last_on_which_a_credential_was_used(store: Store) -> None:
    old = NOON - (KEPT_DAYS + 1) * DAY
    await used(store, ("key_1", old - DAY, False), ("key_1", old, False), ("key_2", old, False))
    await used(store, ("key_2", NOON, False))
    before = {"key_1": CredentialUse(old, 0, 0), "key_2": CredentialUse(NOON, 0, 0)}
    equal(await known(store, TODAY - KEPT_DAYS - 2), before)
    equal((await known(store, TODAY - KEPT_DAYS - 1))["key_1"], CredentialUse(old, 1, 0))
