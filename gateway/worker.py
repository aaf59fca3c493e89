"""One process of several, `python -m gateway.worker`: a front or the writer, as its parent tells it. Only wiring."""

import asyncio
import logging
import signal
import socket
import sys

import uvloop

from gateway.storage.datadir import DataDir
from gateway.storage.remote import RemoteStorage
from gateway.storage.writer import Writer
from gateway.workers.job import WRITER, Parent
from gateway.workers.limits import SharedLimiter
from gateway.workers.shared import Shared, SharedFile, SharedMeter
from gateway.workers.store import opened

SHARE_SECONDS = 0.1


def main() -> int:
    """Do the job that comes on standard input until SIGTERM; return the exit code."""
    parent = Parent.hear()
    job = parent.job
    form = f"%(asctime)s %(levelname)s %(name)s {job.name}: %(message)s"
    logging.basicConfig(level=job.config.log_level.upper(), format=form)
    try:
        with (
            socket.socket(fileno=job.listener) as listener,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            runner.run(_writer(parent, listener) if job.role == WRITER else _front(parent, listener))
    except Exception as error:
        logging.getLogger("gateway").debug("this process cannot work", exc_info=True)
        parent.tell(failed=" ".join(str(error).split()) or repr(error))
        return 1
    return 0


async def _writer(parent: Parent, listener: socket.socket) -> None:
    config = parent.job.config
    stopped = _stop_signal()
    async with opened(config, DataDir(config.data)) as storage:
        writer = Writer(storage)
        await writer.start(listener)
        parent.tell(ready=WRITER)
        await stopped.wait()
        await writer.stop()


async def _front(parent: Parent, listener: socket.socket) -> None:
    from gateway.app import answering  # here, so that the writer never loads what a front needs

    job, config = parent.job, parent.job.config
    file = SharedFile.open(job.shared, config.workers)
    meter = SharedMeter(file, job.slot)
    limiters = {
        name: SharedLimiter(limit, file.table(number), file.made * 1000)
        for number, (name, limit) in enumerate(config.limits.items())
    }
    # Each has its share of the queue, so that together they never ask more of the writer's than it has.
    storage = RemoteStorage(config.data, queue_bytes=config.queue_bytes // config.workers)
    sharing = asyncio.create_task(_share(meter))
    try:
        await storage.reached()
        stopped = _stop_signal()  # only now: until here there is nothing to finish, and nothing that would look
        async with answering(config, listener, storage, Shared(meter, limiters)) as url:
            parent.tell(ready=url)
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
