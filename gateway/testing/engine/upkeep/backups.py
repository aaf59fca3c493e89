"""What is promised of the backups that a store remembers, and of what it says that it takes of its disk."""

from gateway.storage.contract import EventRow
from gateway.storage.store import Backup, Store, StoreSettings
from gateway.testing.engine.expect import equal, holds
from gateway.testing.engine.given.entries import body, entry, key
from gateway.testing.engine.promise import Family, ready_store

FAMILY = Family("backups", ready_store)
DISK = Family("disk use", ready_store)
WRITTEN = {"log", "wal"}


@FAMILY.promise(
    "list backups by the time when they were begun; one with the same name and time takes the place of the "
    "other; to forget one that is not there is no error"
)
async def a_backup_is_listed_until_it_is_removed_oldest_first(store: Store) -> None:
    one, two = Backup(name="/a.tar", made_at=5), Backup(name="/b.tar", made_at=4, events=7)
    equal(await store.backups(), [])
    await store.add_backup(one)
    await store.add_backup(two)
    equal(await store.backups(), [two, one])
    whole = Backup(name="/a.tar", made_at=5, events=9)
    await store.add_backup(whole)
    equal(await store.backups(), [two, whole])
    await store.remove_backup(two)
    await store.remove_backup(two)
    equal(await store.backups(), [whole])


@DISK.promise(
    "let `disk_use` return the same parts at any time, whose sum is `bytes`; a part named log or wal grows "
    "with the events; `free` is None unless the store has a directory"
)
async def a_store_knows_what_it_takes_beside_its_writer(store: Store) -> None:
    async with store.storage(StoreSettings()) as storage:
        before = await store.disk_use()
        for number in range(20):
            rows = [EventRow(body("x" * 2000), key(f"{number}-{each}")) for each in range(500)]
            await storage.append(entry(*rows))
        after = await store.disk_use()
    for found in (before, after):
        equal(sum(found.parts.values()), found.bytes)
    equal(before.parts.keys(), after.parts.keys())
    holds(
        sum(before.parts[each] for each in WRITTEN & before.parts.keys())
        < sum(after.parts[each] for each in WRITTEN & after.parts.keys())
    )
    holds(0 < before.bytes < after.bytes)
    holds(before.is_whole)
    # Of a database's disk only its own server knows what is free.
    equal(before.free is None, store.directory is None)
