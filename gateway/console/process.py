"""The console's process: `gateway console`, and the child of `gateway serve`. Wiring only.

It gives way to ingestion: its own priority is lower, and it opens the store only to read, but for what a page changes.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress

from gateway import logs
from gateway.config import Config
from gateway.config.store import store_of
from gateway.console.application import application, open_console
from gateway.console.context import Console
from gateway.console.server import answering, listen
from gateway.http.bind import url_of
from gateway.keys.credential import KeyFileError
from gateway.store_error import StoreError
from gateway.workers.job import ParentPipe

NICE = 10
RETRY_SECONDS = 3.0
ANY_ADDRESS = {"http://0.0.0.0": "http://127.0.0.1", "http://[::]": "http://[::1]"}
log = logging.getLogger(__name__)


def run(config: Config, host: str, port: int, announce: Callable[[str, str], None]) -> int:
    """Run the console by itself until SIGTERM or SIGINT; return the exit code.

    `announce` is called with its one-time link and its URL. Raises StoreError, KeyFileError, and OSError where the
    address cannot be had.
    """
    logs.configure(config.server.log_level)
    url = _configured_url(config)

    async def main() -> None:
        stopped = _stop_signal()
        with listen(host, port) as listener:
            console = await open_console(config, store_of(config), url)
            async with answering(application(console), listener):
                announce(_link(console, listener), url_of(listener))
                _give_way()
                await stopped.wait()

    asyncio.run(main())
    return 0


def main() -> int:
    """Do the job that the parent sends on standard input until SIGTERM; return the exit code."""
    parent = ParentPipe.receive_job()
    config = parent.job.config
    logs.configure(config.server.log_level, f"%(asctime)s %(levelname)s %(name)s {parent.job.name}: %(message)s")
    try:
        asyncio.run(_run_child(parent))
    except Exception as error:
        log.debug("the console cannot work", exc_info=True)
        parent.report(failed=" ".join(str(error).split()) or repr(error))
        return 1
    return 0


async def _run_child(parent: ParentPipe) -> None:
    """Serve; where the address or the store cannot be had, say so once and try again every few seconds."""
    job, stopped, told = parent.job, _stop_signal(), False
    address = job.config.server.console_address
    assert address is not None, "or nobody had started this process"
    while not stopped.is_set():
        try:
            with listen(*address) as listener:
                console = await open_console(job.config, store_of(job.config), job.url)
                async with answering(application(console), listener):
                    if told:
                        log.info("answers at %s", url_of(listener))
                    parent.report(ready="" if told else _link(console, listener))
                    _give_way()  # only now: until here the server's start waits for it
                    await stopped.wait()
        except (OSError, StoreError, KeyFileError) as problem:
            if not told:
                log.error("%s; trying again every %d s", problem, RETRY_SECONDS)
                parent.report(ready="")  # the server waits for nothing more
            told = True
            with suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), RETRY_SECONDS)


def _link(console: Console, listener: socket.socket) -> str:
    url = url_of(listener)
    for written, meant in ANY_ADDRESS.items():
        url = url.replace(f"{written}:", f"{meant}:")
    return f"{url}/login?link={console.access.make_link()}"


def _configured_url(config: Config) -> str:
    host, port = config.server.host, config.server.port
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _give_way() -> None:
    with suppress(OSError):
        os.nice(NICE)


def _stop_signal() -> asyncio.Event:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


if __name__ == "__main__":
    sys.exit(main())
