"""One process of several, `python -m gateway.workers.child`: an HTTP worker or the writer. Only wiring."""

import asyncio
import logging
import signal
import socket
import sys

import uvloop

from gateway.datadir import DataDir
from gateway.workers.ipc_client import RemoteStorage
from gateway.workers.ipc_server import IpcServer
from gateway.workers.job import WRITER, ParentPipe
from gateway.workers.open_log import opened
from gateway.workers.shared_limits import SharedLimiter
from gateway.workers.shared_memory import SharedFile, SharedMeter

SHARE_SECONDS = 0.1


def main() -> int:
    """Do the job that comes on standard input until SIGTERM; return the exit code."""
    parent = ParentPipe.receive_job()
    job = parent.job
    form = f"%(asctime)s %(levelname)s %(name)s {job.name}: %(message)s"
    logging.basicConfig(level=job.config.log_level.upper(), format=form)
    try:
        with (
            socket.socket(fileno=job.listener) as listener,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            runner.run(_write(parent, listener) if job.role == WRITER else _answer(parent, listener))
    except Exception as error:
        logging.getLogger(__name__).debug("this process cannot work", exc_info=True)
        parent.report(failed=" ".join(str(error).split()) or repr(error))
        return 1
    return 0


async def _write(parent: ParentPipe, listener: socket.socket) -> None:
    config = parent.job.config
    stopped = _stop_signal()
    async with opened(config, DataDir(config.data)) as storage:
        server = IpcServer(storage)
        await server.start(listener)
        parent.report(ready=WRITER)
        await stopped.wait()
        await server.stop()


async def _answer(parent: ParentPipe, listener: socket.socket) -> None:
    from gateway.app import answering  # here, so that the writer never loads what an HTTP worker needs

    job, config = parent.job, parent.job.config
    file = SharedFile.open(job.shared, config.workers)
    meter = SharedMeter(file, job.slot)
    limiters = {
        name: SharedLimiter(limit, file.table(number)) for number, (name, limit) in enumerate(config.limits.items())
    }
    # Each has its share of the queue, so that together they never ask more of the writer's than it has.
    storage = RemoteStorage(config.data, queue_bytes=config.queue_bytes // config.workers)
    sharing = asyncio.create_task(_share(meter))
    try:
        await storage.wait_ready()
        stopped = _stop_signal()  # only now: before, there is nothing to finish
        async with answering(config, listener, storage, meter=meter, limiters=limiters) as url:
            parent.report(ready=url)
            await stopped.wait()
        meter.publish()
    finally:
        sharing.cancel()
        await storage.close()


async def _share(meter: SharedMeter) -> None:
    while True:
        meter.publish()
        await asyncio.sleep(SHARE_SECONDS)


def _stop_signal() -> asyncio.Event:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    return stopped


if __name__ == "__main__":
    sys.exit(main())
