"""What a child process does while it serves: it waits for SIGTERM, and takes what its parent sends meanwhile."""

import asyncio
from asyncio import FIRST_COMPLETED
from collections.abc import Awaitable, Callable

from gateway import logs
from gateway.config import Config
from gateway.workers.control.job import ParentPipe
from gateway.workers.control.signals import Signals


async def until_stopped(parent: ParentPipe, signals: Signals, renew: Callable[[Config], Awaitable[None]]) -> None:
    """Return on SIGTERM. `renew` is called with each configuration that comes; raises what it raises.

    The process then has to end: its parent starts another one with the new configuration.
    """
    loop, came = asyncio.get_running_loop(), asyncio.Event()
    parent.on_config(lambda: loop.call_soon_threadsafe(came.set))
    stop = loop.create_task(signals.stop.wait())
    try:
        while not signals.stop.is_set():
            waiting = loop.create_task(came.wait())
            await asyncio.wait((stop, waiting), return_when=FIRST_COMPLETED)
            waiting.cancel()
            came.clear()
            config = parent.newest_config()
            if config is not None:
                await renew(config)
                logs.configure(config.log.level, config.log.format, parent.job.name)
                parent.report(renewed="")
    finally:
        stop.cancel()
