"""A store with events in it, written by the real engine, for tests of the commands that read one."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from gateway.datadir import make
from gateway.storage.contract import Entry, EventRow, QuarantinedItem
from gateway.storage.engines import open_store
from gateway.storage.store import StoreSettings
from gateway.testing.engine.given.entries import outcomes_of

NOW = 1767323045678


def line(number: int, project: str = "shop") -> bytes:
    return json.dumps({"project": project, "number": number}, separators=(",", ":")).encode()


def entry(rows: Sequence[bytes], project: str = "shop", quarantined: Sequence[QuarantinedItem] = ()) -> Entry:
    return Entry(
        project=project,
        dialect="acme",
        route="track",
        received_at=NOW,
        rows=tuple(EventRow(row) for row in rows),
        quarantined=tuple(quarantined),
        outcomes=outcomes_of([EventRow(row) for row in rows], quarantined),
    )


def keep(place: Path | str, *entries: Entry) -> None:
    """Append entries as a server would, and be gone again, to a data directory or to a store by its URL."""
    store = open_store(f"sqlite:{place}" if isinstance(place, Path) else place)

    async def append() -> None:
        with nullcontext() if store.directory is None else make(store.directory.path).lock():
            async with store.storage(StoreSettings()) as storage:
                for each in entries:
                    await storage.append(each)

    asyncio.run(append())
