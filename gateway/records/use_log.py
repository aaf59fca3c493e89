"""Counts how often each credential is used: in memory, and written asynchronously. No engine here.

Nothing here may delay an answer or make it fail. Only known credentials are counted, so that memory is bounded by their
number. A kill loses the uses of the last seconds.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from gateway.dialect.value_class import value_class

DAY = 86_400_000
KEPT_DAYS = 31
"""How many days are kept of each credential, beside the last one on which it was used."""
log = logging.getLogger(__name__)


@value_class
class DayOfUse:
    """How often a credential was used on one day of UTC, counted in days since the epoch.

    `rejected` requests are among the `requests`. `last_used` is in milliseconds since the epoch.
    """

    project: str
    credential_id: str
    day: int
    requests: int
    rejected: int
    last_used: int


class UseWriter(Protocol):
    """Adds uses to those in a store. Several processes may do so at the same time."""

    @property
    def name(self) -> str:
        """How messages name what is written."""
        ...

    @property
    def expected(self) -> tuple[type[Exception], ...]:
        """The errors of `write`, beside OSError, that are no bugs."""
        ...

    async def write(self, uses: Sequence[DayOfUse]) -> None:
        """Add uses, sorted by project, credential and day, in one transaction; forget days beyond KEPT_DAYS."""
        ...

    async def close(self) -> None:
        """Release what is open. A later write opens it again."""
        ...


class UseLog:
    """Counts uses, and writes them every `pause` seconds."""

    def __init__(self, writer: UseWriter, *, pause: float = 5.0) -> None:
        self._writer = writer
        self._pause = pause
        self._day = 0
        self._day_ends = 0
        """The end of the day that is counted, in milliseconds since the epoch."""
        self._counted: dict[str, list[int]] = {}
        """This day's uses: `{credential: [requests, rejected, last used]}`."""
        self._projects: dict[str, str] = {}
        """The project of each credential that was ever counted."""
        self._waiting: dict[tuple[str, str, int], tuple[int, int, int]] = {}
        self._last_error = ""

    def add(self, project: str, credential_id: str, at: int, rejected: bool = False) -> None:
        """Count a request that named a known credential; `at` is in milliseconds since the epoch. It takes no time."""
        if at >= self._day_ends:
            self._turn(at)
        use = self._counted.get(credential_id)
        if use is None:
            self._projects[credential_id] = project
            use = self._counted[credential_id] = [0, 0, 0]
        use[0] += 1
        if rejected:
            use[1] += 1
        if at > use[2]:
            use[2] = at

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write in the background during the block, and what is left at its end."""
        stopping = asyncio.Event()
        task = asyncio.get_running_loop().create_task(self._run(stopping))
        try:
            yield
        finally:
            # Not cancelled: what is being written would be neither counted nor written again if that fails.
            stopping.set()
            await task
            await self._flush()
            await self._writer.close()

    async def _run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), self._pause)
            await self._flush()

    def _turn(self, at: int) -> None:
        """Begin to count the day of a time. A clock that is set back goes on with the day that was begun."""
        self._collect()
        self._day = at // DAY
        self._day_ends = (self._day + 1) * DAY

    def _collect(self) -> None:
        """Put what was counted to what waits to be written."""
        for credential_id, (requests, rejected, last_used) in self._counted.items():
            self._wait((self._projects[credential_id], credential_id, self._day), requests, rejected, last_used)
        self._counted.clear()

    def _wait(self, name: tuple[str, str, int], requests: int, rejected: int, last_used: int) -> None:
        before = self._waiting.get(name, (0, 0, 0))
        self._waiting[name] = before[0] + requests, before[1] + rejected, max(before[2], last_used)

    async def _flush(self) -> None:
        self._collect()
        if not self._waiting:
            return
        written, self._waiting = self._waiting, {}
        try:
            await self._writer.write([DayOfUse(*name, *counts) for name, counts in sorted(written.items())])
        except Exception as error:
            if not isinstance(error, (OSError, *self._writer.expected)):
                log.exception("a bug: some uses of credentials were lost")
                return
            for name, counts in written.items():
                self._wait(name, *counts)
            if str(error) != self._last_error:
                log.info("cannot write %s: %s; it is tried again", self._writer.name, error)
            self._last_error = str(error)
        else:
            self._last_error = ""
