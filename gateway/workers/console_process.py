"""The console beside a server: a child process that is stopped last. It knows nothing of its pages."""

import asyncio
from asyncio import FIRST_COMPLETED
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from gateway.config import Config
from gateway.workers.control.job import CONSOLE, Job
from gateway.workers.supervised_process import SupervisedProcess

READY_SECONDS = 15.0  # the server's start waits no longer for the console


class ConsoleProcess:
    """Keeps the console running as long as the block lasts, for a server that answers at `url`; if settings want one.

    Whatever becomes of it, the server goes on: a console that ends is started again, and one whose address is taken
    tries to have it every few seconds.
    """

    def __init__(self, config: Config, url: str) -> None:
        self._config = config
        self._url = url
        self._process: SupervisedProcess | None = None

    async def link(self, stopped: asyncio.Event) -> str:
        """Return its one-time link as soon as it answers; nothing if it does not in time, or the server stops."""
        process = self._process
        if process is None:
            return ""
        stop = asyncio.create_task(stopped.wait())
        await asyncio.wait((process.ready, stop), timeout=READY_SECONDS, return_when=FIRST_COMPLETED)
        stop.cancel()
        return process.ready.result() if process.ready.done() else ""

    async def renew(self, config: Config) -> None:
        """Have the console take another configuration."""
        self._config = config
        if self._process is not None:
            await self._process.renew(config)

    async def __aenter__(self) -> Self:
        if self._config.server.console_address is not None:
            self._process = SupervisedProcess(CONSOLE, lambda: _job(self._config, self._url), needed=False)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if self._process is not None:
            await self._process.stop()


@contextmanager
def _job(config: Config, url: str) -> Iterator[Job]:
    yield Job(CONSOLE, config, url=url)
