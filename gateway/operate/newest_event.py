"""When the last event of the log was received: a look at its end, however long it is."""

import json

from gateway.storage.read import LogReader
from gateway.storage.store import Store

MOST_PAGES = 16
"""How far the look goes back where the last events were erased."""


async def newest_event(store: Store) -> str | None:
    """Return `received_at` of the last event, as the event has it; None without one. Raises StoreError."""
    async with store.log() as reader:
        line = await _last_line(reader)
    received_at = None if line is None else json.loads(line).get("received_at")
    return received_at if isinstance(received_at, str) else None


async def _last_line(reader: LogReader) -> bytes | None:
    cursor = await reader.newest()
    found = await reader.at([cursor])
    if found:
        return found[0][1]
    for _ in range(MOST_PAGES):  # the last events are gone, with their person or before others
        page = await reader.page_back(cursor)
        if page.lines:
            return page.lines[-1]
        if not page.more:
            break
        cursor = page.cursor
    return None
