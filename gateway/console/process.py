"""The console's process: `gateway console`, and the child of `gateway serve`. Wiring only.

It gives way to ingestion: its own priority is lower, and it opens the store only to read, but for what a page changes.
"""

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress

import attrs

from gateway import __version__, logs
from gateway.config import Config
from gateway.config.load import notify_socket
from gateway.config.store import store_of
from gateway.console.application import application, open_console
from gateway.console.context import Console
from gateway.console.server import answering, listen
from gateway.http.bind import url_of
from gateway.keys.credential import KeyFileError
from gateway.store_error import StoreError
from gateway.workers.control.job import CONSOLE, ParentPipe
from gateway.workers.control.life import log_end
from gateway.workers.control.notify import Notifier
from gateway.workers.control.reload import Read, Reloads
from gateway.workers.control.signals import Signals, ignore_harmless, ignore_to_the_end
from gateway.workers.control.until_stopped import until_stopped

NICE = 10
RETRY_SECONDS = 3.0
ANY_ADDRESS = {"http://0.0.0.0": "http://127.0.0.1", "http://[::]": "http://[::1]"}
log = logging.getLogger(__name__)


def run(config: Config, read: Read, host: str, port: int, announce: Callable[[str, str], None]) -> int:
    """Run the console by itself until SIGTERM or SIGINT; return the exit code.

    `read` reads the configuration anew, for SIGHUP. `announce` is called with its one-time link and its URL. Raises
    StoreError, KeyFileError, and OSError where the address cannot be had.
    """
    ignore_harmless()
    logs.configure(config.log.level, config.log.format, CONSOLE)
    url, notifier = config.server.url, Notifier(notify_socket())

    async def main() -> None:
        signals = Signals.of_main(notifier.stopping)
        with listen(host, port) as listener:
            store = store_of(config)
            console = await open_console(config, store, url)
            async with answering(application(console), listener):
                log.info("gateway %s, the console alone, at %s, data in %s", __version__, url_of(listener), store.name)
                announce(_link(console, listener), url_of(listener))
                notifier.ready()
                _give_way()
                async with Reloads(config, read, notifier, CONSOLE).following(signals, [_Renewable(console)]):
                    await signals.stop.wait()
        log_end(signals)
        ignore_to_the_end()

    asyncio.run(main())
    return 0


def main() -> int:
    """Do the job that the parent sends on standard input until SIGTERM; return the exit code."""
    ignore_harmless()
    parent = ParentPipe.receive_job()
    config = parent.job.config
    logs.configure(config.log.level, config.log.format, parent.job.name)
    try:
        asyncio.run(_run_child(parent))
    except Exception as error:
        log.debug("the console cannot work", exc_info=True)
        parent.report(failed=" ".join(str(error).split()) or repr(error))
        return 1
    return 0


async def _run_child(parent: ParentPipe) -> None:
    """Serve; where the address or the store cannot be had, say so once and try again every few seconds."""
    job, signals, told = parent.job, Signals.of_child(), False
    config, address = job.config, job.config.server.console_address
    assert address is not None, "or nobody had started this process"

    async def keep(newer: Config) -> None:
        nonlocal config
        config = newer

    while not signals.stop.is_set():
        try:
            with listen(*address) as listener:
                console = await open_console(config, store_of(config), job.url)
                async with answering(application(console), listener):
                    if told:
                        log.info("answers at %s", url_of(listener))
                    parent.report(ready="" if told else _link(console, listener))
                    _give_way()  # only now: until here the server's start waits for it
                    await until_stopped(parent, signals, _Renewable(console).renew)
        except (OSError, StoreError, KeyFileError) as problem:
            if not told:
                log.error("%s; trying again every %d s", problem, RETRY_SECONDS)
                parent.report(ready="")  # the server waits for nothing more
            told = True
            with suppress(TimeoutError):
                await asyncio.wait_for(until_stopped(parent, signals, keep), RETRY_SECONDS)


@attrs.frozen
class _Renewable:
    """A console as a part that takes another configuration."""

    console: Console

    async def renew(self, config: Config) -> None:
        """See Renewable."""
        self.console.renew(config)


def _link(console: Console, listener: socket.socket) -> str:
    url = url_of(listener)
    for written, meant in ANY_ADDRESS.items():
        url = url.replace(f"{written}:", f"{meant}:")
    return f"{url}/login?link={console.access.make_link()}"


def _give_way() -> None:
    with suppress(OSError):
        os.nice(NICE)


if __name__ == "__main__":
    sys.exit(main())
