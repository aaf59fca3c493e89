"""A reader whose lines are spelled as they were appended: an engine may keep values, in a spelling of its own."""

import json
from collections.abc import Sequence

import attrs

from gateway.dialect import Event
from gateway.storage.read import EVERYTHING, EventFilter, LogReader, Page, Position

FIELDS = [field.name for field in attrs.fields(Event)]


def respelled(line: bytes) -> bytes:
    """Return a line with the fields of an event in their order, and without spaces."""
    event = json.loads(line)
    known = {name: event[name] for name in FIELDS if name in event}
    return json.dumps({**known, **event}, ensure_ascii=False, separators=(",", ":")).encode()


@attrs.frozen
class Respelled:
    """See LogReader."""

    reader: LogReader

    def parse_position(self, text: str) -> Position:
        """See LogReader."""
        return self.reader.parse_position(text)

    async def page(self, after: Position | None = None, where: EventFilter = EVERYTHING) -> Page:
        """See LogReader."""
        return _respelled(await self.reader.page(after, where))

    async def page_back(self, until: Position | None = None, where: EventFilter = EVERYTHING) -> Page:
        """See LogReader."""
        return _respelled(await self.reader.page_back(until, where))

    async def at(self, positions: Sequence[Position]) -> list[tuple[Position, bytes]]:
        """See LogReader."""
        return [(position, respelled(line)) for position, line in await self.reader.at(positions)]

    async def is_gone(self, position: Position) -> bool:
        """See LogReader."""
        return await self.reader.is_gone(position)

    async def newest(self) -> Position:
        """See LogReader."""
        return await self.reader.newest()

    async def count(self, where: EventFilter = EVERYTHING) -> int:
        """See LogReader."""
        return await self.reader.count(where)

    async def close(self) -> None:
        """See LogReader."""
        await self.reader.close()


def _respelled(page: Page) -> Page:
    return Page(page.positions, b"\n".join([respelled(line) for line in page.lines]), page.cursor, page.more)
