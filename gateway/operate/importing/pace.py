"""How much of a log's time an import takes: all of it where it is alone, a part of it beside a server."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import attrs


@attrs.define
class Pace:
    """Lets appends begin. After each it rests `rest` times as long as the append took; 0 is no rest."""

    rest: float = 0.0

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Append within this block."""
        if not self.rest:
            yield
            return
        begun = time.monotonic()
        try:
            yield
        finally:
            await asyncio.sleep(self.rest * (time.monotonic() - begun))
