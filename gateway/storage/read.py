"""What every reader of the log is asked, whatever the engine: values, LogReader, and loops over it. No engine here.

A position is an opaque token of its engine: callers keep it, show it and give it back. As a cursor it is the point
right behind its event: `after` excludes that event, `until` includes it. None is the beginning as `after`, and the end
as `until`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Protocol

import attrs

from gateway.dialect.value_class import value_class

Position = int | str
"""In JSON it is what it is here: a number or a string."""


@attrs.frozen(kw_only=True)
class EventFilter:
    """Which events are asked for: those that meet each condition that is not None.

    `since` and `before` are of `received_at`, in milliseconds since the epoch; `since` includes, `before` excludes.
    `person` is a `user_id` or an `anonymous_id`. There is no index but for the time: a search for a rare event reads
    page after page, most of them empty.
    """

    project: str | None = None
    dialect: str | None = None
    type: str | None = None
    name: str | None = None
    message_id: str | None = None
    person: str | None = None
    since: int | None = None
    before: int | None = None


EVERYTHING = EventFilter()


@value_class
class Page:
    """Some events in the log's order, and where to go on.

    `text` has the events' lines with a line break between them, and `positions` one position for each. A line is the
    event's JSON as it was stored, in UTF-8. `cursor` is what to ask the next page with. It may be far behind the last
    event, and a page may be empty: what a filter excludes is read, too. Without `more` the end was reached.
    """

    positions: Sequence[Position]
    text: bytes
    cursor: Position
    more: bool

    @property
    def lines(self) -> list[bytes]:
        """The events' lines."""
        return self.text.split(b"\n") if self.positions else []

    @property
    def events(self) -> Iterable[tuple[Position, bytes]]:
        """The `(position, line)` of each event."""
        return zip(self.positions, self.lines, strict=True)


class LogReader(Protocol):
    """Reads what is committed, beside the writers. Every engine passes the checks of gateway/testing/engine/log/.

    Each call is a bounded piece of work, and no snapshot outlasts it. Raises StoreError if the log cannot be read.
    """

    def parse_position(self, text: str) -> Position:
        """Return the position that a person wrote. Raises ValueError on what is none of this engine."""
        ...

    async def page(self, after: Position | None = None, where: EventFilter = EVERYTHING) -> Page:
        """Return the next events after a position."""
        ...

    async def page_back(self, until: Position | None = None, where: EventFilter = EVERYTHING) -> Page:
        """Return the last events up to a position, in the log's order; the page before it is `until` its cursor."""
        ...

    async def at(self, positions: Sequence[Position]) -> list[tuple[Position, bytes]]:
        """Return the `(position, line)` of the events at these positions, in their order; a missing one is left out."""
        ...

    async def is_gone(self, position: Position) -> bool:
        """Return whether the event at a position was removed alone: erased with its person, or expired early."""
        ...

    async def newest(self) -> Position:
        """Return the position after which nothing is yet."""
        ...

    async def count(self, where: EventFilter = EVERYTHING) -> int:
        """Return how many events there are; in steps, so that events may come in meanwhile."""
        ...

    async def close(self) -> None:
        """Release the files or connections."""
        ...


async def export(
    reader: LogReader, after: Position | None = None, where: EventFilter = EVERYTHING
) -> AsyncIterator[Page]:
    """Yield page after page until no more is committed; at least one, so that there is a cursor to resume from."""
    more = True
    while more:
        page = await reader.page(after, where)
        yield page
        after, more = page.cursor, page.more


async def follow(
    reader: LogReader,
    after: Position | None,
    where: EventFilter,
    pause: Callable[[], Awaitable[bool]],
) -> AsyncIterator[Page]:
    """Yield what `export` does, and then new events.

    At the end of the log `pause` is awaited: it returns True once it is time to look again, or False to end.
    """
    while True:
        async for page in export(reader, after, where):
            after = page.cursor
            if page.positions:
                yield page
        if not await pause():
            return


async def last_events(reader: LogReader, most: int, until: Position, where: EventFilter = EVERYTHING) -> list[bytes]:
    """Return the lines of the last events up to a position, at most so many, in the log's order."""
    pages: list[Sequence[bytes]] = []
    found, more, cursor = 0, True, until
    while more and found < most:
        page = await reader.page_back(cursor, where)
        pages.append(page.lines)
        found, more, cursor = found + len(page.lines), page.more, page.cursor
    lines = [line for page in reversed(pages) for line in page]
    return lines[max(0, len(lines) - most) :]
