"""Log lines that would say the same again and again: the first is logged at once, the others are a count a minute.

Strangers can cause such lines, so the table of what is counted is bounded.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Hashable, Mapping

import attrs

from gateway.logs.lines import facts

SECONDS = 60.0
MAX_KINDS = 1024
SWEEP_SECONDS = 1.0
Line = tuple[str, Mapping[str, object]]
"""A line of the log, and its facts."""
_OTHERS = object()


@attrs.define
class _Kind:
    """What says the same: its first line, how many came since the last line about it, when the next is due."""

    line: Line
    due: float
    count: int = 0


class Repeats:
    """Logs lines of one logger that begin with `verb`, at the level info. `clock` is in seconds.

        refused databuddy POST /track: no_credential; request r-1
        refused 37 more in a minute like databuddy POST /track: no_credential; request r-1

    What goes on for longer is one such count every minute. Beyond MAX_KINDS kinds all others count as one. At the level
    debug every line is logged.
    """

    def __init__(self, log: logging.Logger, verb: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._verb = verb
        self._clock = clock
        self._kinds: dict[Hashable, _Kind] = {}

    def add(self, key: Hashable, line: Callable[[], Line]) -> None:
        """Log a line, or only count it if one with an equal key was logged within the last minute."""
        if self._log.isEnabledFor(logging.DEBUG):
            self._tell(line())
            return
        now = self._clock()
        if key not in self._kinds and len(self._kinds) >= MAX_KINDS:
            key = _OTHERS
        kind = self._kinds.get(key)
        if kind is not None and now >= kind.due:
            self._end_minute(key, kind, now)
            kind = self._kinds.get(key)
        if kind is not None:
            kind.count += 1
            return
        first = line()
        self._kinds[key] = _Kind(first if key is not _OTHERS else ("other kinds", {}), now + SECONDS)
        self._tell(first)

    def flush(self, *, at_end: bool = False) -> None:
        """Log the counts of which a minute is over; all of them `at_end`."""
        now = self._clock()
        for key, kind in list(self._kinds.items()):
            if at_end or now >= kind.due:
                self._end_minute(key, kind, now)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Log counts when they are due during the block, and all that are left at its end."""
        task = asyncio.get_running_loop().create_task(self._sweep())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            self.flush(at_end=True)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.flush()

    def _tell(self, line: Line) -> None:
        text, known = line
        self._log.info("%s %s", self._verb, text, extra=facts(**known))

    def _end_minute(self, key: Hashable, kind: _Kind, now: float) -> None:
        if not kind.count:
            del self._kinds[key]
            return
        text, known = kind.line
        self._log.info(
            "%s %d more in a minute like %s", self._verb, kind.count, text, extra=facts(**known, count=kind.count)
        )
        kind.count, kind.due = 0, now + SECONDS
