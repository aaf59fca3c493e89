"""One who watches: a filter, and a bounded queue of what came in. No store here."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from gateway.dialect.value_class import value_class
from gateway.operate.events.rows import as_event
from gateway.operate.live.rows import LiveFilter, stored_row
from gateway.storage.read import Position

MOST_ROWS = 50
"""Rows of one look that are shown, of those with four looks a second."""
MOST_WAITING = 8
"""Batches that wait for a slow watcher; what comes while there are so many is only counted."""


@value_class
class Batch:
    """What one look has found for one watcher: the last `rows`, oldest first, and how many `more` there were.

    `cursor` is where the log was read up to, None for a look at what was held. `skipped` says that so much had come in
    that not all of it was looked at. `missed` is how many items came while the watcher was too slow. `trouble` is why
    the store could not be read.
    """

    rows: Sequence[dict[str, Any]]
    more: int
    cursor: Position | None = None
    skipped: bool = False
    missed: int = 0
    trouble: str | None = None


class Sieve:
    """Collects what one filter asks for, of one look: the last rows, and a count of all."""

    def __init__(self, where: LiveFilter, known: frozenset[Position] = frozenset()) -> None:
        self._where = where
        self._offers = where.of_events
        self._all = where.of_every_event
        self._known = known
        self._last: deque[tuple[Position, bytes]] = deque(maxlen=MOST_ROWS)
        self.count = 0

    @property
    def needs_events(self) -> bool:
        """Whether `offer` has to be told what is in a line."""
        return self._offers and not self._all

    def offer(self, position: Position, line: bytes, event: Mapping[str, Any]) -> None:
        """Take an event if it is asked for, and was not seen before."""
        if self._offers and position not in self._known and (self._all or self._where.asks_for_event(event)):
            self.count += 1
            self._last.append((position, line))

    def rows(self) -> list[dict[str, Any]]:
        """Return the last events that are asked for, oldest first."""
        return [stored_row(*each) for each in self._last]


NO_FIELDS: Mapping[str, Any] = {}


def sift(events: Iterable[tuple[Position, bytes]], sieves: Sequence[Sieve]) -> None:
    """Offer events to all sieves. A line is parsed once, and only if one of them asks for something."""
    parsed = any(each.needs_events for each in sieves)
    for position, line in events:
        event = as_event(line) if parsed else NO_FIELDS
        for sieve in sieves:
            sieve.offer(position, line, event)


@attrs.define(eq=False)
class Listener:
    """One watcher's side of the feed. `known` are events that it got otherwise, and does not get again."""

    where: LiveFilter
    known: frozenset[Position] = frozenset()
    _waiting: asyncio.Queue[Batch] = attrs.field(factory=lambda: asyncio.Queue(MOST_WAITING), init=False)
    _missed: int = attrs.field(default=0, init=False)

    def put(self, batch: Batch) -> None:
        """Add a batch, or only count it if too many wait."""
        if self._waiting.full():
            self._missed += len(batch.rows) + batch.more
            return
        self._waiting.put_nowait(attrs.evolve(batch, missed=self._missed))
        self._missed = 0

    async def next(self) -> Batch:
        """Return the next batch that has something to tell."""
        return await self._waiting.get()
