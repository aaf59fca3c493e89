"""Starts a whole gateway, of one process or several, and ends it in order; decides nothing itself."""

import asyncio
import errno
import signal
import socket
from contextlib import nullcontext

import uvloop

from gateway import logs
from gateway.clock import now
from gateway.config import Config
from gateway.config.store import store_of
from gateway.datadir import Lock, make
from gateway.http.bind import bind, url_of
from gateway.http.connection_limits import raise_descriptor_limit
from gateway.ingest.registry import discover
from gateway.operate import first_start
from gateway.storage.store import Store
from gateway.workers.console_process import ConsoleProcess
from gateway.workers.http_worker import answering
from gateway.workers.open_log import opened
from gateway.workers.supervisor import supervise


def serve(config: Config) -> int:
    """Serve until SIGTERM or SIGINT, finish what was accepted, and return the exit code.

    Raises StoreError, KeyFileError, RegistryError, and OSError where the address cannot be had.
    """
    logs.configure(config.server.log_level)
    raise_descriptor_limit()  # and so each child process's
    store = store_of(config)
    with (
        nullcontext() if store.directory is None else make(store.directory.path).lock() as lock,
        bind(config.server.host, config.server.port) as listener,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(_serve(config, store, lock, listener))


async def _serve(config: Config, store: Store, lock: Lock | None, listener: socket.socket) -> int:
    stopped = _stop_signal()
    await store.prepare()
    async with store.keys(make=True) as keys:
        made = await first_start.make_keys(keys, [each for each in discover() if config.enabled(each.name)], now())
    async with ConsoleProcess(config, url_of(listener)) as console:

        async def ready(url: str) -> None:
            _announce(made, url, await console.link(stopped))

        if config.server.workers > 1:
            return await supervise(config, store.directory, lock, listener, ready, stopped)
        async with opened(config, store) as storage, answering(config, listener, store, storage) as url:
            await ready(url)
            await stopped.wait()
    return 0


def _announce(made: first_start.FirstStart, url: str, console: str) -> None:
    greeting = first_start.text(made, url, console)
    try:
        print(f"{greeting}\n{url}" if greeting else url, flush=True)
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.EBADF):  # nobody reads, or ever did: serve all the same
            raise


def _stop_signal() -> asyncio.Event:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    return stopped
