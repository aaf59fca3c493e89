"""How far a reader of the log is, by the times of the events: for people who wait at a terminal."""

import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import attrs
import orjson

from gateway.cli.tables import counting
from gateway.storage.read import EVERYTHING, EventFilter, LogReader, Page
from gateway.storage.store import Store

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@contextlib.asynccontextmanager
async def progress(
    doing: str, reader: LogReader, where: EventFilter, *, shown: bool = True
) -> AsyncIterator[Callable[[Page], None]]:
    """Yield what is told of each page, and shows the events so far, their rate and their share, on a terminal.

    The share is one of time: from the first event to the newest, or of what the filter asks for.
    """
    if not shown or not sys.stderr.isatty():
        yield lambda page: None
        return
    share = TimeShare(where.since, await _end(reader, where))
    events = 0
    with counting(doing) as count:

        def add(page: Page) -> None:
            nonlocal events
            events += len(page.positions)
            if page.positions:
                count(events, share.up_to(page))

        yield add


@contextlib.asynccontextmanager
async def ending(store: Store) -> AsyncIterator["TimeShare"]:
    """Yield the share of a whole log that is read, for a terminal; where there is none, or no event, it is unknown."""
    if not sys.stderr.isatty():
        yield TimeShare(None, None)
        return
    async with store.log() as reader:
        share = TimeShare(None, await _end(reader, EVERYTHING))
    yield share


@attrs.define
class TimeShare:
    """The time that is read, from `start` to `end`, in milliseconds since the epoch; both may be unknown.

    Without a start the first event's time is taken.
    """

    start: int | None
    end: int | None

    def up_to(self, page: Page) -> float | None:
        """Return which share of the time is over with the last event of a page, from 0 to 1; None if unknown."""
        if self.start is None:
            self.start = _received_at(page.text.split(b"\n", 1)[0])
        return self.at(page.text.rsplit(b"\n", 1)[-1])

    def at(self, line: bytes | None) -> float | None:
        """Return which share of the time is over with an event; None if that is unknown."""
        if line is None or self.end is None:
            return None
        time = _received_at(line)
        if self.start is None:
            self.start = time
        if time is None or self.start is None or self.end is None or self.end <= self.start:
            return None
        return min(1.0, max(0.0, (time - self.start) / (self.end - self.start)))


async def _end(reader: LogReader, where: EventFilter) -> int | None:
    """Return when the newest event was received, or the filter's end if that is earlier; None if there is no event."""
    page = await reader.page_back()
    newest = _received_at(page.text.rsplit(b"\n", 1)[-1]) if page.positions else None
    return newest if newest is None or where.before is None else min(newest, where.before)


def _received_at(line: bytes) -> int | None:
    try:
        return (datetime.fromisoformat(orjson.loads(line)["received_at"]) - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, TypeError, KeyError):
        return None
