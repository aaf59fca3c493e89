"""What there is in a store, read through its contract."""

import json

from gateway.storage.read import Position, export
from gateway.storage.records import Records
from gateway.storage.store import Store
from gateway.testing.engine.given.respelled import respelled


async def events_of(store: Store) -> list[tuple[Position, bytes]]:
    """Return the `(position, line)` of all events."""
    async with store.log() as log:
        return [event async for page in export(log) for event in page.events]


async def lines_of(store: Store, *, exact: bool) -> list[bytes]:
    """Return the lines of all events, in the spelling of those that were appended unless they are kept exactly."""
    return [line if exact else respelled(line) for _, line in await events_of(store)]


async def positions_of(store: Store) -> dict[str, Position]:
    """Return the position of each event, by its message id."""
    return {str(json.loads(line)["message_id"]): position for position, line in await events_of(store)}


async def totals(store: Store) -> dict[str, int]:
    """Return the counters, summed by verdict."""
    async with store.records() as records:
        return await totals_of(records)


async def totals_of(records: Records) -> dict[str, int]:
    """Return the counters, summed by verdict."""
    counts = dict.fromkeys(("received", "stored", "duplicate", "quarantined"), 0)
    for _, _, verdict, count in await records.counters():
        counts[verdict] += count
    return counts
