"""Reads what a store has stored since it was read last, as JSON values, through the contract of readers."""

import asyncio
import json
import time
from typing import Any, Self

import attrs

from gateway.storage.read import LogReader, Position, export
from gateway.storage.records import Records

PATIENCE = 10  # seconds for other transactions of the database, which readers wait for
PAUSE = 0.005  # seconds


@attrs.define
class Stored:
    """Where a reader is: behind an event of the log, and behind an item of the quarantine."""

    _log: LogReader
    _records: Records
    _position: Position | None
    _item: int

    @classmethod
    async def now(cls, log: LogReader, records: Records) -> Self:
        """Return a reader of what is stored from now on."""
        found = cls(log, records, None, 0)
        await found.events(0)
        await found.quarantined()
        return found

    async def events(self, expected: int) -> list[Any]:
        """Return the new events. If there are fewer than expected, wait for those that readers may not see yet."""
        lines: list[bytes] = []
        deadline = time.monotonic() + PATIENCE
        is_last = False
        while True:
            async for page in export(self._log, self._position):
                lines += page.lines
                self._position = page.cursor
            if is_last or len(lines) >= expected or time.monotonic() > deadline:
                return [json.loads(line) for line in lines]
            is_last = not await self._records.reader_lag()
            if not is_last:
                await asyncio.sleep(PAUSE)

    async def quarantined(self) -> list[Any]:
        """Return the new items of the quarantine, each with its faults and its payload."""
        rows = [row async for row in self._records.quarantine(self._item)]
        self._item = max([self._item, *(row["id"] for row in rows)])
        return [{"faults": json.loads(row["faults"]), "payload": json.loads(row["payload"])} for row in rows]
