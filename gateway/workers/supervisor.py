"""The main process of several: which processes run, and the order in which they start and end. No events here."""

import asyncio
import socket
import sys
from asyncio import FIRST_COMPLETED
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from gateway.datadir import DataDir, Lock
from gateway.http.listening.listeners import Listeners
from gateway.ingest.registry import discover
from gateway.workers.control.job import HTTP_WORKER, WRITER, Job
from gateway.workers.control.reload import Reloads, Renewable
from gateway.workers.control.signals import Signals
from gateway.workers.ipc_socket import bound_for_workers
from gateway.workers.shared_memory import SharedFile
from gateway.workers.supervised_process import SupervisedProcess


async def supervise(
    reloads: Reloads,
    directory: DataDir | None,
    lock: Lock | None,
    listeners: Listeners,
    ready: Callable[[str], Awaitable[None]],
    console: Renewable,
    signals: Signals,
) -> int:
    """Run one writer and `server.workers` HTTP workers until stopped; return the exit code.

    Without a `directory` there is neither a `lock` nor a writer: each HTTP worker commits by itself.
    The `listeners` are bound and need not listen: they hold the addresses. `ready` is called once, with the URL. Raises
    ChildProcessError when a process cannot do its work from the start; one that ends later is started again.
    """
    if sys.platform != "linux":
        raise ChildProcessError("several workers need Linux; use --workers 1")
    workers = reloads.config.server.workers
    with ExitStack() as stack:
        shared = stack.enter_context(SharedFile.create(workers, len(discover())))
        writers: list[SupervisedProcess] = []
        if directory is not None and lock is not None:
            ipc_listener = stack.enter_context(bound_for_workers(directory.path))
            writers.append(SupervisedProcess(WRITER, partial(_writer_job, reloads, ipc_listener, lock, shared)))

        @contextmanager
        def http_worker_job(slot: int) -> Iterator[Job]:
            with listeners.of_a_worker() as own:
                yield Job(
                    HTTP_WORKER,
                    reloads.config,
                    shared=shared.descriptor,
                    slot=slot,
                    listeners=own,
                    handed_over=listeners.handed_over,
                )

        http_workers = [
            SupervisedProcess(f"{HTTP_WORKER} {slot + 1}", partial(http_worker_job, slot)) for slot in range(workers)
        ]
        everyone = asyncio.gather(*[each.ready for each in (*writers, *http_workers)])
        everyone.add_done_callback(_retrieve)  # a stop before all are ready is no error
        stop = asyncio.create_task(signals.stop.wait())
        try:
            await asyncio.wait((everyone, stop), return_when=FIRST_COMPLETED)
            if everyone.done():
                await ready(everyone.result()[-1])
                # These tasks end only when they are stopped; one that ends before has a bug that must not go unnoticed.
                tasks = [each.task for each in (*writers, *http_workers)]
                async with reloads.following(signals, (*writers, *http_workers, console)):
                    await asyncio.wait([stop, *tasks], return_when=FIRST_COMPLETED)
                for task in tasks:
                    if task.done():
                        task.result()
        finally:
            everyone.cancel()
            stop.cancel()
            listeners.close()
            # The HTTP workers first: the requests that they have accepted still need the writer.
            patience = reloads.config.server.drain_seconds
            hurrying = asyncio.create_task(_hurry(signals, http_workers))
            in_time = await asyncio.gather(*[each.stop(patience) for each in http_workers])
            hurrying.cancel()
            in_time += [await each.stop() for each in writers]
    return 0 if all(in_time) else 1


async def _hurry(signals: Signals, processes: Iterable[SupervisedProcess]) -> None:
    await signals.hurry.wait()
    for each in processes:
        each.hurry()


@contextmanager
def _writer_job(reloads: Reloads, listener: socket.socket, lock: Lock, shared: SharedFile) -> Iterator[Job]:
    yield Job(WRITER, reloads.config, listener.fileno(), lock=lock.descriptor, shared=shared.descriptor)


def _retrieve(done: asyncio.Future[list[str]]) -> None:
    if not done.cancelled():
        done.exception()
