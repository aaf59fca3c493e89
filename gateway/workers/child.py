"""One process of several, `python -m gateway.workers.child`: an HTTP worker or the writer. Wiring only."""

import asyncio
import contextlib
import logging
import socket
import sys
from collections.abc import AsyncIterator

import attrs
import uvloop

from gateway import logs
from gateway.config import Config
from gateway.config.store import store_of, store_settings
from gateway.ingest.preflights import Preflights
from gateway.records.metrics import Meter
from gateway.storage.contract import Storage
from gateway.storage.store import Store
from gateway.workers.control.job import WRITER, ParentPipe
from gateway.workers.control.signals import Signals, ignore_harmless
from gateway.workers.control.until_stopped import until_stopped
from gateway.workers.ipc_client import RemoteStorage
from gateway.workers.open_log import opened
from gateway.workers.shared_limits import SharedLimiter
from gateway.workers.shared_memory import SharedFile, SharedMeter

PUBLISH_SECONDS = 0.1


def main() -> int:
    """Do the job that the parent sends on standard input until SIGTERM; return the exit code."""
    ignore_harmless()
    parent = ParentPipe.receive_job()
    job = parent.job
    logs.configure(job.config.log.level, job.config.log.format, job.name)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run_writer(parent) if job.role == WRITER else _run_http_worker(parent))
    except Exception as error:
        logging.getLogger(__name__).debug("this process cannot work", exc_info=True)
        parent.report(failed=" ".join(str(error).split()) or repr(error))
        return 1
    return 0


async def _run_writer(parent: ParentPipe) -> None:
    job, config = parent.job, parent.job.config
    signals, store = Signals.of_child(), store_of(config)
    file = SharedFile.open(job.shared, config.server.workers)
    meter = SharedMeter(file, file.writer)
    with socket.socket(fileno=job.listener) as listener:
        async with (
            _publishing(meter),
            opened(config, store, listener, on_commit=meter.committed, on_import=meter.imported),
        ):
            parent.report(ready=WRITER)
            await until_stopped(parent, signals, lambda config: store.renew(store_settings(config)))


async def _run_http_worker(parent: ParentPipe) -> None:
    # Here, so that the writer never loads what an HTTP worker needs.
    from gateway.http.listening.listeners import of_descriptors
    from gateway.ingest.registry import discover
    from gateway.workers.answering import Answering

    job, config = parent.job, parent.job.config
    file = SharedFile.open(job.shared, config.server.workers)
    meter = SharedMeter(file, job.slot)
    tables = {dialect.name: file.table(number) for number, dialect in enumerate(discover())}

    def limiters(config: Config) -> dict[str, SharedLimiter]:
        return {name: SharedLimiter(limit, tables[name]) for name, limit in config.limits.items()}

    store = store_of(config)
    listeners = of_descriptors(job.listeners, handed_over=job.handed_over, scheme=config.server.scheme)
    async with _publishing(meter), _storage(config, store, meter) as storage:
        signals = Signals.of_child()  # only now: until here SIGTERM ends the process at once
        waiting = Preflights(file.preflights())
        async with Answering(config, store, storage, meter, limiters, waiting).opened(listeners) as answering:
            parent.report(ready=answering.url)
            await until_stopped(parent, signals, answering.renew)
            await answering.drain(signals.hurry)


@contextlib.asynccontextmanager
async def _storage(config: Config, store: Store, meter: Meter) -> AsyncIterator[Storage]:
    """Open the store by way of the writer, or by itself where there is none: each has an equal share of the queue.

    So together the HTTP workers never send more than the writer's queue holds.
    """
    settings = attrs.evolve(store_settings(config, config.server.workers), on_commit=meter.committed)
    if store.directory is None:
        async with store.storage(settings) as storage:
            yield storage
        return
    remote = RemoteStorage(store.directory.path, queue_bytes=settings.queue_bytes)
    try:
        await remote.wait_ready()
        yield remote
    finally:
        await remote.close()


@contextlib.asynccontextmanager
async def _publishing(meter: SharedMeter) -> AsyncIterator[None]:
    """Let the other processes know what this one has counted, again and again, and at the end."""
    publishing = asyncio.create_task(_publish(meter))
    try:
        yield
    finally:
        publishing.cancel()
        meter.publish()


async def _publish(meter: SharedMeter) -> None:
    while True:
        meter.publish()
        await asyncio.sleep(PUBLISH_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
