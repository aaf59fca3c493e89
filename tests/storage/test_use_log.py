"""What every engine keeps of the uses of credentials: by day, added up over processes, the last one for ever."""

import asyncio
from collections.abc import Sequence

import attrs
import pytest

from gateway.records.use_log import DAY, KEPT_DAYS, DayOfUse, UseLog
from gateway.storage.records import CredentialUse
from gateway.storage.store import Store, StoreSettings

TODAY = 20_000
NOON = TODAY * DAY + DAY // 2


@pytest.fixture
async def store(store: Store) -> Store:
    """A store whose writer has once been there: on SQLite, it makes the log without which nothing is read."""
    async with store.storage(StoreSettings()):
        pass
    return store


async def used(store: Store, *uses: tuple[str, int, bool]) -> None:
    log = store.use_log()
    async with log.running():
        for credential_id, at, rejected in uses:
            log.add("shop", credential_id, at, rejected)


async def known(store: Store, day: int = TODAY) -> dict[str, CredentialUse]:
    async with store.records() as records:
        return await records.credential_uses(day)


async def test_nothing_is_known_of_what_was_never_used(store: Store) -> None:
    assert await known(store) == {}


async def test_uses_are_added_up_by_credential_and_day(store: Store) -> None:
    await used(store, ("key_1", NOON - DAY, False), ("key_1", NOON, False), ("key_2", NOON + 1, True))
    await used(store, ("key_1", NOON + 2, True), ("key_1", NOON + 1, False))
    assert await known(store) == {"key_1": CredentialUse(NOON + 2, 3, 1), "key_2": CredentialUse(NOON + 1, 1, 1)}
    assert await known(store, TODAY - 1) == {
        "key_1": CredentialUse(NOON + 2, 1, 0),
        "key_2": CredentialUse(NOON + 1, 0, 0),
    }


async def test_several_processes_add_to_the_same_credentials_at_once(store: Store) -> None:
    uses = [(f"key_{number}", NOON + number, number % 2 == 1) for number in range(20)]
    await asyncio.gather(*[used(store, *(uses if turn % 2 else reversed(uses))) for turn in range(6)])
    assert await known(store) == {name: CredentialUse(at, 6, 6 if rejected else 0) for name, at, rejected in uses}


async def test_old_days_go_but_for_the_last_on_which_a_credential_was_used(store: Store) -> None:
    old = NOON - (KEPT_DAYS + 1) * DAY
    await used(store, ("key_1", old - DAY, False), ("key_1", old, False), ("key_2", old, False))
    await used(store, ("key_2", NOON, False))
    before = {"key_1": CredentialUse(old, 0, 0), "key_2": CredentialUse(NOON, 0, 0)}
    assert await known(store, TODAY - KEPT_DAYS - 2) == before
    assert (await known(store, TODAY - KEPT_DAYS - 1))["key_1"] == CredentialUse(old, 1, 0)


@attrs.define
class Writer:
    """A writer that fails as long as it is told to."""

    is_broken: bool = False
    written: list[DayOfUse] = attrs.field(factory=list)
    name: str = "the uses"
    expected: tuple[type[Exception], ...] = ()

    async def write(self, uses: Sequence[DayOfUse]) -> None:
        if self.is_broken:
            raise OSError("no room")
        self.written += uses

    async def close(self) -> None:
        pass


async def test_what_cannot_be_written_is_added_to_the_next_write() -> None:
    writer = Writer(is_broken=True)
    log = UseLog(writer)
    for _ in range(2):
        async with log.running():
            log.add("shop", "key_1", NOON)
    writer.is_broken = False
    async with log.running():
        log.add("shop", "key_1", NOON + DAY, rejected=True)
        log.add("shop", "key_1", NOON)  # the clock was set back: it counts where counting is
    assert writer.written == [
        DayOfUse("shop", "key_1", TODAY, 2, 0, NOON),
        DayOfUse("shop", "key_1", TODAY + 1, 2, 1, NOON + DAY),
    ]


async def test_a_log_without_uses_writes_nothing() -> None:
    writer = Writer(is_broken=True)
    async with UseLog(writer, pause=0.001).running():
        await asyncio.sleep(0.01)
    assert writer.written == []
