"""One process of several, `python -m gateway.workers.child`: an HTTP worker or the writer. Wiring only."""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator

import uvloop

from gateway import logs
from gateway.config import Config
from gateway.config.store import store_of, store_settings
from gateway.ingest.preflights import Preflights
from gateway.storage.contract import Storage
from gateway.storage.store import Store
from gateway.workers.ipc_client import RemoteStorage
from gateway.workers.job import WRITER, ParentPipe
from gateway.workers.open_log import opened
from gateway.workers.shared_limits import SharedLimiter
from gateway.workers.shared_memory import SharedFile, SharedMeter

PUBLISH_SECONDS = 0.1


def main() -> int:
    """Do the job that the parent sends on standard input until SIGTERM; return the exit code."""
    parent = ParentPipe.receive_job()
    job = parent.job
    logs.configure(job.config.server.log_level, f"%(asctime)s %(levelname)s %(name)s {job.name}: %(message)s")
    try:
        with (
            socket.socket(fileno=job.listener) as listener,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            runner.run(_run_writer(parent, listener) if job.role == WRITER else _run_http_worker(parent, listener))
    except Exception as error:
        logging.getLogger(__name__).debug("this process cannot work", exc_info=True)
        parent.report(failed=" ".join(str(error).split()) or repr(error))
        return 1
    return 0


async def _run_writer(parent: ParentPipe, listener: socket.socket) -> None:
    config = parent.job.config
    stopped = _stop_signal()
    async with opened(config, store_of(config), listener):
        parent.report(ready=WRITER)
        await stopped.wait()


async def _run_http_worker(parent: ParentPipe, listener: socket.socket) -> None:
    from gateway.workers.http_worker import answering  # here, so that the writer never loads what an HTTP worker needs

    job, config = parent.job, parent.job.config
    file = SharedFile.open(job.shared, config.server.workers)
    meter = SharedMeter(file, job.slot)
    limiters = {
        name: SharedLimiter(limit, file.table(number)) for number, (name, limit) in enumerate(config.limits.items())
    }
    store = store_of(config)
    publishing = asyncio.create_task(_publish(meter))
    try:
        async with _storage(config, store) as storage:
            stopped = _stop_signal()  # only now: until here SIGTERM ends the process at once
            waiting = Preflights(file.preflights())
            async with answering(
                config, listener, store, storage, meter=meter, limiters=limiters, preflights=waiting
            ) as url:
                parent.report(ready=url)
                await stopped.wait()
            meter.publish()
    finally:
        publishing.cancel()


@contextlib.asynccontextmanager
async def _storage(config: Config, store: Store) -> AsyncIterator[Storage]:
    """Open the store by way of the writer, or by itself where there is none: each has an equal share of the queue.

    So together the HTTP workers never send more than the writer's queue holds.
    """
    settings = store_settings(config, config.server.workers)
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


async def _publish(meter: SharedMeter) -> None:
    while True:
        meter.publish()
        await asyncio.sleep(PUBLISH_SECONDS)


def _stop_signal() -> asyncio.Event:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    return stopped


if __name__ == "__main__":
    sys.exit(main())
