"""The main process of several: which processes run, and the order in which they start and end. No events here."""

import asyncio
import socket
import sys
from asyncio import FIRST_COMPLETED
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from gateway.config import Config
from gateway.datadir import DataDir, Lock
from gateway.workers.ipc_socket import bound_for_workers
from gateway.workers.job import HTTP_WORKER, WRITER, Job
from gateway.workers.shared_memory import SharedFile
from gateway.workers.supervised_process import SupervisedProcess


async def supervise(
    config: Config,
    directory: DataDir | None,
    lock: Lock | None,
    listener: socket.socket,
    ready: Callable[[str], Awaitable[None]],
    stopped: asyncio.Event,
) -> int:
    """Run one writer and `config.server.workers` HTTP workers until stopped; return the exit code.

    Without a `directory` there is neither a `lock` nor a writer: each HTTP worker commits by itself.
    `listener` is bound and does not listen: it holds the address. `ready` is called once, with the URL. Raises
    ChildProcessError when a process cannot do its work from the start; one that ends later is started again.
    """
    if sys.platform != "linux":
        raise ChildProcessError("several workers need Linux; use --workers 1")
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    with ExitStack() as stack:
        shared = stack.enter_context(SharedFile.create(config.server.workers, len(config.limits)))
        writers: list[SupervisedProcess] = []
        if directory is not None and lock is not None:
            ipc_listener = stack.enter_context(bound_for_workers(directory.path))
            writers.append(SupervisedProcess(WRITER, partial(_writer_job, config, ipc_listener, lock)))

        @contextmanager
        def http_worker_job(slot: int) -> Iterator[Job]:
            with on_same_address(listener) as own:
                yield Job(HTTP_WORKER, config, own.fileno(), shared=shared.descriptor, slot=slot)

        http_workers = [
            SupervisedProcess(f"{HTTP_WORKER} {slot + 1}", partial(http_worker_job, slot))
            for slot in range(config.server.workers)
        ]
        everyone = asyncio.gather(*[each.ready for each in (*writers, *http_workers)])
        everyone.add_done_callback(_retrieve)  # a stop before all are ready is no error
        stop = asyncio.create_task(stopped.wait())
        try:
            await asyncio.wait((everyone, stop), return_when=FIRST_COMPLETED)
            if everyone.done():
                await ready(everyone.result()[-1])
                # These tasks end only when they are stopped; one that ends before has a bug that must not go unnoticed.
                tasks = [each.task for each in (*writers, *http_workers)]
                await asyncio.wait([stop, *tasks], return_when=FIRST_COMPLETED)
                for task in tasks:
                    if task.done():
                        task.result()
        finally:
            everyone.cancel()
            stop.cancel()
            listener.close()
            # The HTTP workers first: the requests that they have accepted still need the writer.
            in_time = await asyncio.gather(*[each.stop() for each in http_workers])
            in_time += [await each.stop() for each in writers]
    return 0 if all(in_time) else 1


@contextmanager
def _writer_job(config: Config, listener: socket.socket, lock: Lock) -> Iterator[Job]:
    yield Job(WRITER, config, listener.fileno(), lock=lock.descriptor)


def _retrieve(done: asyncio.Future[list[str]]) -> None:
    if not done.cancelled():
        done.exception()


def on_same_address(listener: socket.socket) -> socket.socket:
    """Return another socket on a bound socket's address, for one HTTP worker alone.

    Among sockets with SO_REUSEPORT the kernel spreads connections evenly, and gives no more to a worker that died. With
    one socket for all, the spread is uneven: measured, one of two workers at times got all of 32 connections.
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
