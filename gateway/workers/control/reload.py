"""The main process's part in a reload: read everything again, check all of it, and have every part take it, or none."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

from gateway import logs
from gateway.config import Config, ConfigError
from gateway.config.load import check_again
from gateway.config.serving import install_enabled, router
from gateway.ingest.registry import RegistryError, discover
from gateway.workers.control.changes import changes, listed
from gateway.workers.control.notify import Notifier
from gateway.workers.control.signals import Signals

Read = Callable[[], Config]
"""Reads the configuration anew: file, environment and command line. Raises ConfigError and RegistryError."""
log = logging.getLogger("gateway")


class Renewable(Protocol):
    """A part of the gateway that takes another configuration while it runs."""

    async def renew(self, config: Config) -> None:
        """Take it. On an exception nothing has changed."""
        ...


class Reloads:
    """Reloads when SIGHUP asks for it. `config` is what holds now; new processes are started with it.

    `process` is this one's name in the log.
    """

    def __init__(self, config: Config, read: Read, notifier: Notifier, process: str = logs.MAIN) -> None:
        self.config = config
        self._process = process
        self._read = read
        self._notifier = notifier

    @contextlib.asynccontextmanager
    async def following(self, signals: Signals, parts: Sequence[Renewable]) -> AsyncIterator[None]:
        """Reload in the background during the block, and finish a reload that is under way at its end."""
        ending = asyncio.Event()
        task = asyncio.create_task(self._follow(signals.reload, parts, ending))
        try:
            yield
        finally:
            ending.set()
            signals.reload.set()
            await task

    async def _follow(self, asked: asyncio.Event, parts: Sequence[Renewable], ending: asyncio.Event) -> None:
        while not ending.is_set():
            await asked.wait()
            asked.clear()
            if ending.is_set():
                return
            self._notifier.reloading()
            try:
                await self.reload(parts)
            except Exception:
                log.exception("a bug: the configuration is not reloaded")
            self._notifier.ready()

    async def reload(self, parts: Sequence[Renewable]) -> None:
        """Reload once; log in one line what has changed, or why nothing did."""
        try:
            new = await asyncio.to_thread(self._checked)
        except (ConfigError, RegistryError) as error:
            log.error("the configuration is not reloaded, the old one stays: %s", error)
            return
        found = changes(self.config, new)
        before, self.config = self.config, found.config
        try:
            if found.now:
                for part in parts:
                    await part.renew(found.config)
        except Exception as error:
            self.config = before
            log.error("the configuration is not reloaded, the old one stays: %s", " ".join(str(error).split()))
            return
        logs.configure(found.config.log.level, found.config.log.format, self._process)
        later = f"; takes effect at the next start: {listed(found.later)}" if found.later else ""
        log.info(
            "configuration reloaded: %s%s",
            *(listed(found.now) or "nothing changed", later),
            extra=logs.facts(changed=list(found.now), at_next_start=list(found.later)),
        )

    def _checked(self) -> Config:
        """Read the configuration, and make of it what can be made without serving: that finds what is wrong."""
        check_again(self.config.file)
        config = self._read()
        router(config, install_enabled(config, discover()))
        return config
