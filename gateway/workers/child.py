"""One process of several, `python -m gateway.workers.child`: an HTTP worker or the writer. Wiring only."""

import asyncio
import logging
import signal
import socket
import sys

import uvloop

from gateway import logs
from gateway.datadir import DataDir
from gateway.ingest.preflights import Preflights
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
    async with opened(config, DataDir(config.data), listener):
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
    # An equal share of the queue each: together they never send more than the writer's queue holds.
    storage = RemoteStorage(config.data, queue_bytes=config.storage.queue_bytes // config.server.workers)
    publishing = asyncio.create_task(_publish(meter))
    try:
        await storage.wait_ready()
        stopped = _stop_signal()  # only now: until here SIGTERM ends the process at once
        waiting = Preflights(file.preflights())
        async with answering(config, listener, storage, meter=meter, limiters=limiters, preflights=waiting) as url:
            parent.report(ready=url)
            await stopped.wait()
        meter.publish()
    finally:
        publishing.cancel()
        await storage.close()


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
