"""Starts a whole gateway, of one process or several, and ends it in order; decides nothing itself."""

import asyncio
import errno
from collections.abc import Sequence
from contextlib import nullcontext

import uvloop

from gateway import logs
from gateway.clock import now
from gateway.config import Config
from gateway.config.load import notify_socket
from gateway.config.serving import listeners
from gateway.config.store import store_of
from gateway.datadir import Lock, make
from gateway.http.bind import callable_url
from gateway.http.connection_limits import raise_descriptor_limit
from gateway.http.listening.listeners import Listeners
from gateway.ingest.registry import discover
from gateway.operate import first_start
from gateway.records.metrics import Meter
from gateway.storage.store import Store
from gateway.workers.answering import Answering
from gateway.workers.console_process import ConsoleProcess
from gateway.workers.control.life import log_end, log_start
from gateway.workers.control.notify import Notifier
from gateway.workers.control.reload import Read, Reloads
from gateway.workers.control.signals import Signals, ignore_harmless, ignore_to_the_end
from gateway.workers.open_log import opened
from gateway.workers.supervisor import supervise


def serve(config: Config, read: Read | None = None) -> int:
    """Serve until SIGTERM or SIGINT, finish what was accepted, and return the exit code.

    `read` reads the configuration anew, for SIGHUP. Raises StoreError, KeyFileError, RegistryError, and OSError where
    the address or the certificate is no good.
    """
    ignore_harmless()
    logs.configure(config.log.level, config.log.format)
    raise_descriptor_limit()  # and so each child process's
    store = store_of(config)
    with (
        nullcontext() if store.directory is None else make(store.directory.path).lock() as lock,
        listeners(config) as found,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(_serve(config, read or (lambda: config), store, lock, found))


async def _serve(config: Config, read: Read, store: Store, lock: Lock | None, listeners: Listeners) -> int:
    notifier = Notifier(notify_socket())
    signals = Signals.of_main(notifier.stopping)
    await store.prepare()
    async with store.keys(make=True) as keys:
        made = await first_start.make_keys(keys, [each for each in discover() if config.enabled(each.name)], now())
    reloads = Reloads(config, read, notifier)
    async with ConsoleProcess(config, listeners.urls[0]) as console:

        async def ready(_url: str) -> None:
            link = await console.link(signals.stop)
            if not signals.stop.is_set():
                log_start(config, store, " and ".join(listeners.urls))
            _announce(made, config, listeners.urls, link)
            notifier.ready()

        if config.server.workers > 1:
            code = await supervise(reloads, store.directory, lock, listeners, ready, console, signals)
        else:
            code, meter = 0, Meter()
            async with (
                opened(config, store, on_commit=meter.committed, on_import=meter.imported) as storage,
                Answering(config, store, storage, meter).opened(listeners) as answering,
            ):
                await ready(answering.url)
                async with reloads.following(signals, (answering, console)):
                    await signals.stop.wait()
                await answering.drain(signals.hurry)
    log_end(signals)
    ignore_to_the_end()
    return code


def _announce(made: first_start.FirstStart, config: Config, urls: Sequence[str], console: str) -> None:
    greeting = first_start.text(made, (config.server.public_url or callable_url(urls[0])).rstrip("/"), console)
    also = f"Listens at {' and '.join(urls)}\n" if len(urls) > 1 else ""
    try:
        print(f"{greeting}\n{also}{urls[0]}" if greeting else f"{also}{urls[0]}", flush=True)
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.EBADF):  # nobody reads, or ever did: serve all the same
            raise
