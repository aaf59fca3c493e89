"""When the newest event came in, on each engine: also where later ones were erased with their person."""

import json

from gateway.operate.newest_event import newest_event
from gateway.records.person import Person
from gateway.storage.contract import EventRow
from gateway.storage.engines import open_store
from gateway.storage.store import StoreSettings
from gateway.testing.engine.given.entries import entry, key


def row(number: int, user_id: str) -> EventRow:
    time = f"2026-01-02T03:04:0{number}.000Z"
    event = {"project": "p", "dialect": "toy", "user_id": user_id, "timestamp": time, "received_at": time}
    return EventRow(json.dumps(event, separators=(",", ":")).encode(), key(number))


async def test_the_newest_event_is_the_last_that_is_left(url: str) -> None:
    store = open_store(url)
    await store.prepare()
    async with store.storage(StoreSettings()) as storage:
        assert await newest_event(store) is None
        await storage.append(entry(row(1, "bob"), row(2, "ann")))
        await storage.append(entry(row(3, "ann")))
        assert await newest_event(store) == "2026-01-02T03:04:03.000Z"
        for person, left in (("ann", "2026-01-02T03:04:01.000Z"), ("bob", None)):
            async with store.eraser(storage) as eraser:  # type: ignore[arg-type]
                one = Person(project="p", kind="user_id", id=person)
                report = await eraser.erase(one, at=1_800_000_000_000, payload_of=lambda _: None, dry_run=False)
            assert report.events == (2 if left else 1)
            assert await newest_event(store) == left
