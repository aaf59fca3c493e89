"""The entries of one process that wait to be sent to the writer together. No sockets and no answers here."""

import asyncio
from collections.abc import Callable, Sequence

from gateway.storage.contract import Entry

ENOUGH = 64 << 10  # bytes that wait: then they are sent without a quiet turn, and about so many in one message
QUIET_TURNS = 3  # as in group commit: with one the groups are smaller, with six they are no larger


class Outbox:
    """Gives entries to `send` in groups: the number of the first one, and the entries.

    They wait until some turns of the event loop have brought no more. Each message wakes the writer, whose caches are
    cold by then, and begins a commit if none is running: the fewer there are, the less an event costs.
    """

    def __init__(self, send: Callable[[int, Sequence[Entry]], None], loop: asyncio.AbstractEventLoop) -> None:
        self._send = send
        self._loop = loop
        self._entries: list[Entry] = []
        self._sizes: list[int] = []
        self._bytes = 0
        self._last = 0

    def add(self, number: int, entry: Entry, size: int) -> None:
        """Let an entry wait; `number` is the one after the last entry's."""
        if not self._entries:
            self._loop.call_soon(self._flush_when_quiet, 0, 1)
        self._entries.append(entry)
        self._sizes.append(size)
        self._bytes += size
        self._last = number

    def clear(self) -> tuple[list[Entry], list[int]]:
        """Return what waits, and its sizes; nothing waits any more."""
        entries, self._entries = self._entries, []
        sizes, self._sizes = self._sizes, []
        self._bytes = 0
        return entries, sizes

    def flush(self) -> None:
        """Give away what waits."""
        entries, sizes = self.clear()
        first = self._last + 1 - len(entries)
        start = size = 0
        for end, more in enumerate(sizes, 1):
            size += more
            if size >= ENOUGH or end == len(entries):
                self._send(first + start, entries[start:end])
                start, size = end, 0

    def _flush_when_quiet(self, turns: int, before: int) -> None:
        """Flush after enough turns of the loop without more; `before` is how many entries waited a turn ago."""
        turns = turns + 1 if len(self._entries) == before else 0
        if turns >= QUIET_TURNS or self._bytes >= ENOUGH:
            self.flush()
        elif self._entries:
            self._loop.call_soon(self._flush_when_quiet, turns, len(self._entries))
