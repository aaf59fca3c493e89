"""Starts a whole gateway, of one process or several, and ends it in order; decides nothing itself."""

import asyncio
import errno
import signal
import socket

import uvloop

from gateway import logs
from gateway.clock import now
from gateway.config import Config
from gateway.datadir import DataDir, Lock, make
from gateway.http.connection_limits import raise_descriptor_limit
from gateway.http.server import bind
from gateway.ingest.registry import discover
from gateway.keys.store import KeyFile
from gateway.operate import first_start
from gateway.storage.sqlite import rejected_log
from gateway.workers.http_worker import answering
from gateway.workers.open_log import opened
from gateway.workers.supervisor import supervise


def serve(config: Config) -> int:
    """Serve until SIGTERM or SIGINT, finish what was accepted, and return the exit code.

    Raises DataDirError, KeyFileError, RegistryError, and OSError where the address cannot be had.
    """
    logs.configure(config.server.log_level)
    raise_descriptor_limit()  # and so each child process's
    directory = make(config.data)
    with (
        directory.lock() as lock,
        bind(config.server.host, config.server.port) as listener,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(_serve(config, directory, lock, listener))


async def _serve(config: Config, directory: DataDir, lock: Lock, listener: socket.socket) -> int:
    stopped = _stop_signal()
    rejected_log.upgrade(directory)
    with KeyFile.open(directory.keys, make=True) as keys:
        made = first_start.make_keys(keys, [each for each in discover() if config.enabled(each.name)], now())
    if config.server.workers > 1:
        return await supervise(config, directory, lock, listener, lambda url: _announce(made, url), stopped)
    async with opened(config, directory) as storage, answering(config, listener, storage) as url:
        _announce(made, url)
        await stopped.wait()
    return 0


def _announce(made: first_start.FirstStart, url: str) -> None:
    greeting = first_start.text(made, url)
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
