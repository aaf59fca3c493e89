"""Work beside the commits: once a minute, in short pieces, so that commits wait for one piece at most. No SQL here."""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable

PAUSE = 0.03
"""Seconds between two pieces: of each second commits have nearly all."""
log = logging.getLogger(__name__)


class Housekeeping:
    """Runs `piece` every so many seconds, again and again until it returns that nothing is left.

    A piece that fails is tried again the next time; if it has broken the file, the commits tell.
    """

    def __init__(self, piece: Callable[[], Awaitable[bool]], *, every: float) -> None:
        self._piece = piece
        self._every = every
        self._closing = asyncio.Event()
        self._has_failed = False
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Wait for the piece that runs, and run no more."""
        self._closing.set()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        while not await self._is_closing_within(self._every):
            try:
                while await self._piece() and not await self._is_closing_within(PAUSE):
                    pass
            except (sqlite3.Error, OSError) as error:
                if not self._has_failed:
                    log.warning("expired events cannot be deleted, or their room not be given back: %s", error)
                self._has_failed = True
            else:
                self._has_failed = False

    async def _is_closing_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._closing.wait()
        except TimeoutError:
            return False
