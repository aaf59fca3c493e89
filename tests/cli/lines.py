"""A data directory with events in it, written by the real store, for tests of the commands that read one."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

from gateway.datadir import make
from gateway.storage.contract import Entry, EventRow, QuarantinedItem
from gateway.storage.group_commit import GroupCommit
from gateway.storage.sqlite.engine import SqliteEngine
from tests.storage.stores import outcomes_of

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


def keep(data: Path, *entries: Entry) -> None:
    """Append entries as a server would, and be gone again."""

    async def append() -> None:
        directory = make(data)
        with directory.lock():
            storage = GroupCommit(await SqliteEngine.open(directory))
            try:
                for each in entries:
                    await storage.append(each)
            finally:
                await storage.close()

    asyncio.run(append())
