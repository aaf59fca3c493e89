"""The main process of several: which processes there are, and the order in which they start and end. No events here."""

import asyncio
import socket
import sys
from asyncio import FIRST_COMPLETED
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from gateway.config import Config
from gateway.datadir import DataDir, Lock
from gateway.workers.ipc_server import bound
from gateway.workers.job import HTTP_WORKER, WRITER, Job
from gateway.workers.shared_memory import SharedFile
from gateway.workers.supervised_process import SupervisedProcess


async def supervise(
    config: Config,
    directory: DataDir,
    lock: Lock,
    listener: socket.socket,
    ready: Callable[[str], None],
    stopped: asyncio.Event,
) -> int:
    """Run one writer and `config.workers` fronts until stopped; return the exit code.

    `listener` is bound and does not listen: it holds the address. `ready` is called once, with the URL. Raises
    ChildProcessError where a process cannot do its work from the start; later on it is started again.
    """
    if sys.platform != "linux":
        raise ChildProcessError("several workers need Linux; use --workers 1")
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    with bound(directory.path) as socket_of_writer, SharedFile.make(config.workers, len(config.limits)) as shared:

        @contextmanager
        def writer() -> Iterator[Job]:
            yield Job(WRITER, config, socket_of_writer.fileno(), lock=lock.descriptor)

        @contextmanager
        def front(slot: int) -> Iterator[Job]:
            with beside(listener) as own:
                yield Job(HTTP_WORKER, config, own.fileno(), shared=shared.descriptor, slot=slot)

        keeper = SupervisedProcess(WRITER, writer)
        http_workers = [
            SupervisedProcess(f"{HTTP_WORKER} {slot + 1}", partial(front, slot)) for slot in range(config.workers)
        ]
        everyone = asyncio.gather(keeper.ready, *[each.ready for each in http_workers])
        stop = asyncio.create_task(stopped.wait())
        try:
            await asyncio.wait((everyone, stop), return_when=FIRST_COMPLETED)
            if everyone.done():
                ready(everyone.result()[-1])
                # A keeper ends only with its process; one that ends before has a bug, and nobody else would notice.
                await asyncio.wait(
                    [stop, *[each.task for each in (keeper, *http_workers)]], return_when=FIRST_COMPLETED
                )
                for each in (keeper, *http_workers):
                    if each.task.done():
                        each.task.result()
        finally:
            everyone.cancel()
            stop.cancel()
            listener.close()
            # The fronts first: what they took in is to be answered, and for that it must be kept.
            well = await asyncio.gather(*[each.stop() for each in http_workers])
            well.append(await keeper.stop())
    return 0 if all(well) else 1


def beside(listener: socket.socket) -> socket.socket:
    """Return another socket on a bound socket's address, for one front alone.

    Among sockets with SO_REUSEPORT the kernel spreads connections evenly, and stops giving any to a front that died.
    Taking turns at one socket is not fair: measured, one front of two at times got all of 32 connections.
    """
    own = socket.socket(listener.family, listener.type)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        own.bind(listener.getsockname())
    except OSError:
        own.close()
        raise
    return own
