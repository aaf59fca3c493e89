"""What the quarantine promises where it is full: of further items little is kept, and events are stored."""

from hashlib import sha256

import attrs

from gateway.storage.records import Records
from gateway.storage.store import Store
from gateway.testing.engine.expect import equal, holds
from gateway.testing.engine.given.entries import entry, kept, row
from gateway.testing.engine.given.logged import said
from gateway.testing.engine.given.quarantine import (
    FAULTS,
    LARGE,
    NEW,
    held,
    holding,
    ids,
    opened,
    quarantined,
    settling,
)
from gateway.testing.engine.given.reading import events_of
from gateway.testing.engine.promise import Family, ready_store

FAMILY = Family("quarantine size", ready_store)


@FAMILY.promise(
    "beyond StoreSettings.quarantine_bytes of a project keep of an item only its faults, and the size and "
    "digest of its request (`kept` is False); store the events of the request"
)
async def beyond_its_size_a_quarantine_keeps_fault_size_and_digest_and_events_are_stored(
    store: Store,
) -> None:
    async with opened(store, quarantine_bytes=100_000) as (storage, records):
        for name in "abcd":
            mixed = attrs.evolve(entry(row(f"good {name}"), quarantined=(quarantined(name),)), request=kept(LARGE))
            equal(await storage.append(mixed), NEW)
        equal(await storage.append(holding(quarantined("e"), raw=LARGE, project="q")), NEW)
        equal(await storage.append(holding(quarantined("small"))), NEW)

        rows = await held(records)
        equal(len(await events_of(store)), 4)
        equal(
            [(each["message_id"], each.get("kept", True)) for each in rows],
            [
                *(("a", True), ("b", True), ("c", False), ("d", False)),
                *(("e", True), ("small", True)),
            ],
        )
        digest = sha256(LARGE.body).hexdigest()
        equal(
            {name: rows[2][name] for name in ("faults", "payload", "size", "sha256")},
            {
                "faults": FAULTS.decode(),
                "payload": None,
                "size": 40_000,
                "sha256": digest,
            },
        )
        record = await records.quarantine_record(rows[2]["id"])
        assert record is not None
        equal((record.kept, record.raw, record.size, record.sha256), (False, None, 40_000, digest))


@FAMILY.promise(
    "log one warning when a quarantine has become full, that names its project: `the quarantine of project p is "
    "full`; do not repeat it for each request"
)
async def that_a_quarantine_is_full_is_logged_once(store: Store) -> None:
    with said() as texts:
        async with opened(store, quarantine_bytes=100_000) as (storage, _):
            for name in "abcde":
                await storage.append(holding(quarantined(name), raw=LARGE))
    equal([text.partition(" full")[0] for text in texts if "full" in text], ["the quarantine of project p is"])


@FAMILY.promise(
    "count a request in the size of the quarantine until the last of its items is replayed or dropped; read "
    "the size from the store when it is opened"
)
async def a_request_whose_last_item_has_ended_makes_room_even_after_a_restart(store: Store) -> None:
    async def is_kept(records: Records) -> bool:
        return bool((await held(records))[-1].get("kept", True))

    async with opened(store, quarantine_bytes=90_000) as (storage, records):
        await storage.append(holding(quarantined("a"), quarantined("b", 1), raw=LARGE))
        await storage.append(holding(quarantined("c"), raw=LARGE))
        first, second, third = await ids(records)
        await storage.append(settling(first))
    async with opened(store, quarantine_bytes=90_000) as (storage, records):
        await storage.append(holding(quarantined("d"), raw=LARGE))
        holds(not await is_kept(records))
        await storage.append(settling(second))
        await storage.append(holding(quarantined("e"), raw=LARGE))
        holds(await is_kept(records))
        await storage.append(holding(quarantined("f"), raw=LARGE))
        holds(not await is_kept(records))
        await storage.append(settling(third))
        await storage.append(holding(quarantined("g"), raw=LARGE))
        holds(await is_kept(records))
