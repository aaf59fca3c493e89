"""Searches the log for events, newest first. Nothing but the time has an index, so that a search may have to stop.

A page of results is asked for by a cursor, which is a position: `until` for what is older, `after` for what is newer.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from gateway.dialect.value_class import value_class
from gateway.operate.events.rows import as_event, event_row, short
from gateway.storage.read import EVERYTHING, EventFilter, LogReader, Position

SECONDS = 2.0
"""After how long a search of the console stops."""
ROWS = 50
MOST_LOOKS = 5
"""Pages that are read to find out of what time a position is."""


@value_class
class Found:
    """One page of a search: events in short (see rows.py), the newest first.

    `older` is the `until` of the next page, `newer` the `after` of the one before; None where there is none. A search
    that `stopped` has read all events back to `searched_to` (milliseconds since the epoch, None if it is not known),
    or, looking for newer ones, on to it.
    """

    rows: Sequence[dict[str, Any]]
    older: Position | None
    newer: Position | None
    stopped: bool = False
    searched_to: str | None = None


@value_class
class Step:
    """A part of a search back: events as `(position, line)`, the newest first, and where it goes on if it does."""

    events: Sequence[tuple[Position, bytes]]
    cursor: Position
    more: bool


async def steps_back(reader: LogReader, where: EventFilter, until: Position | None = None) -> AsyncIterator[Step]:
    """Yield what is found, step by step, up to the beginning of the log. Each step is a bounded piece of work."""
    more = True
    while more:
        page = await reader.page_back(until, where)
        until, more = page.cursor, page.more
        yield Step(list(page.events)[::-1], page.cursor, page.more)


async def search(
    reader: LogReader,
    where: EventFilter,
    clock: Callable[[], float],
    *,
    until: Position | None = None,
    after: Position | None = None,
    seconds: float = SECONDS,
) -> Found:
    """Return one page: the newest events, those up to `until`, or the next ones after `after`.

    `clock` is in seconds. After so many `seconds` the search stops with what it has found.
    """
    if after is not None:
        found = await _newer(reader, where, clock, after, seconds)
        if found is not None:
            return found
    return await _older(reader, where, clock, until, seconds)


async def time_at(reader: LogReader, position: Position) -> str | None:
    """Return when the last event up to a position was received; None if there is none near."""
    for _ in range(MOST_LOOKS):
        page = await reader.page_back(position, EVERYTHING)
        if page.positions:
            return short(as_event(page.lines[-1]).get("received_at"))
        if not page.more:
            return None
        position = page.cursor
    return None


async def _older(
    reader: LogReader, where: EventFilter, clock: Callable[[], float], until: Position | None, seconds: float
) -> Found:
    end = clock() + seconds
    rows: list[dict[str, Any]] = []
    async for step in steps_back(reader, where, until):
        # One more than is shown: that is where the next page begins.
        rows += [event_row(*event) for event in step.events[: ROWS + 1 - len(rows)]]
        newer = None if until is None or not rows else rows[0]["position"]
        if len(rows) > ROWS:
            return Found(rows[:ROWS], rows[ROWS]["position"], newer)
        if step.more and clock() >= end:
            return Found(rows, step.cursor, newer, stopped=True, searched_to=await time_at(reader, step.cursor))
    return Found(rows, None, None if until is None or not rows else rows[0]["position"])


async def _newer(
    reader: LogReader, where: EventFilter, clock: Callable[[], float], after: Position, seconds: float
) -> Found | None:
    """Return the next events after a position; None if they are fewer than a page: then the newest page has them."""
    end = clock() + seconds
    rows: list[dict[str, Any]] = []
    cursor = after
    while True:
        page = await reader.page(cursor, where)
        rows += [event_row(*event) for event in list(page.events)[: ROWS - len(rows)]]
        if len(rows) == ROWS:
            return Found(rows[::-1], after, rows[-1]["position"])
        if not page.more:
            return None
        cursor = page.cursor
        if clock() >= end:
            return Found(rows[::-1], after, cursor, stopped=True, searched_to=await time_at(reader, cursor))
