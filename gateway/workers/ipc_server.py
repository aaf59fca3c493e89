"""The server's side of the gateway's socket: hands its clients' entries to a Storage, and answers. No engine here."""

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial

from gateway.dialect.outcome import StorageUnavailable
from gateway.malloc_trim import IdleTrimmer
from gateway.storage.contract import Appended, AppendStatus, Entry, SubmittingStorage
from gateway.storage.erasing.step import ErasingStorage
from gateway.workers.ipc_codec import (
    HELLO,
    Answer,
    Append,
    Erase,
    Erased,
    Failure,
    FrameError,
    FromClient,
    Health,
    version_mismatch,
)
from gateway.workers.ipc_connection import Connection

HEALTH_SECONDS = 0.1
Client = Connection[FromClient]
Answers = list[asyncio.Future[Appended]]
OnImport = Callable[[str, Mapping[str, int]], None]
"""Called with a dialect and how many items of each verdict were imported: who serves HTTP has not counted them."""
log = logging.getLogger(__name__)


def uncounted(_dialect: str, _verdicts: Mapping[str, int]) -> None:
    """Count nothing."""


class IpcServer:
    """Serves HTTP workers and commands from one storage until stopped.

    What a client sent is committed, even when the client is gone before the answer.
    """

    def __init__(self, storage: SubmittingStorage, on_import: OnImport = uncounted) -> None:
        self._storage = storage
        self._on_import = on_import
        self._clients: set[Client] = set()
        self._in_flight: set[asyncio.Future[Appended]] = set()
        self._erasing: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._healthy = storage.healthy
        self._watch: asyncio.Task[None] | None = None
        self._trimmer = IdleTrimmer()

    async def start(self, listener: socket.socket) -> None:
        """Accept the clients of a socket that is bound."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: Client(self, FromClient, self._trimmer), sock=listener)
        self._watch = loop.create_task(self._watch_health())

    async def stop(self, grace: float = 0.0) -> None:
        """Commit and answer what clients sent; before, give them `grace` seconds to disconnect by themselves."""
        assert self._server is not None
        assert self._watch is not None
        self._server.close()
        self._watch.cancel()
        deadline = asyncio.get_running_loop().time() + grace
        while self._clients and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        for client in self._clients:
            client.pause_reading()
        if self._in_flight:
            await asyncio.wait(self._in_flight)
        if self._erasing:
            await asyncio.wait(self._erasing)
        for client in list(self._clients):
            client.close()

    def on_connect(self, connection: Client) -> None:
        """Say Hello to a client."""
        self._clients.add(connection)
        connection.send(HELLO)

    def on_hello(self, connection: Client, fingerprint: str) -> None:
        """Tell a client how the store is. Raises FrameError when the client is another version."""
        if mismatch := version_mismatch(fingerprint):
            raise FrameError(f"it is {mismatch}")
        connection.send(Health(self._storage.healthy))

    def on_message(self, connection: Client, message: FromClient) -> None:
        """Append entries, and answer when they are on disk."""
        if isinstance(message, Erase):
            task = asyncio.get_running_loop().create_task(self._erase(connection, message))
            self._erasing.add(task)
            task.add_done_callback(self._erasing.discard)
            return
        if not isinstance(message, Append):
            raise FrameError("a second Hello")
        answers = [self._submit(entry) for entry in message.entries]
        self._in_flight.update(answers)
        self._answer_when_done(connection, message.number, answers)

    def on_broken(self, connection: Client, error: FrameError) -> None:
        """End the connection of a client that sends something else."""
        log.warning("ended the connection of a client: %r", str(error))
        connection.abort()

    def on_disconnect(self, connection: Client) -> None:
        """Forget a client; what it sent is committed all the same."""
        self._clients.discard(connection)

    async def _erase(self, connection: Client, message: Erase) -> None:
        """Do one step of an erasure, and answer."""
        try:
            if not isinstance(self._storage, ErasingStorage):
                raise StorageUnavailable("this store is erased from by the command itself")
            result = await self._storage.erase(message.step)
        except Exception as error:
            connection.send(_failure(message.number, error))
        else:
            connection.send(Erased(message.number, result))

    def _submit(self, entry: Entry) -> asyncio.Future[Appended]:
        try:
            answer = self._storage.submit(entry)
            if entry.imported and not entry.trial:
                answer.add_done_callback(partial(self._imported, entry))
            return answer
        except Exception as error:
            refused: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
            refused.set_exception(error)
            return refused

    def _imported(self, entry: Entry, answer: asyncio.Future[Appended]) -> None:
        if not answer.cancelled() and answer.exception() is None:
            self._on_import(entry.dialect, _verdicts(entry, answer.result()))

    def _answer_when_done(
        self, connection: Client, number: int, answers: Answers, _done: asyncio.Future[Appended] | None = None
    ) -> None:
        """Answer the entries of a message together: nearly always they are in one commit."""
        for answer in reversed(answers):  # entries are committed in their order, so the last one is done last
            if not answer.done():
                answer.add_done_callback(partial(self._answer_when_done, connection, number, answers))
                return
        self._in_flight.difference_update(answers)
        if not any(answer.cancelled() or answer.exception() is not None for answer in answers):
            connection.send(Answer(number, tuple([answer.result() for answer in answers])))
            return
        for each, answer in enumerate(answers, number):
            if answer.cancelled():  # the loop ends
                continue
            error = answer.exception()
            connection.send(Answer(each, (answer.result(),)) if error is None else _failure(each, error))

    async def _watch_health(self) -> None:
        while True:
            await asyncio.sleep(HEALTH_SECONDS)
            self._trimmer.tick()
            if self._healthy != self._storage.healthy:
                self._healthy = self._storage.healthy
                for client in self._clients:
                    client.send(Health(self._healthy))


def _verdicts(entry: Entry, appended: Appended) -> Mapping[str, int]:
    """Return how many items of an entry had each verdict."""
    if appended.status is not AppendStatus.NEW:
        return {"duplicate": len(entry.rows) + len(entry.quarantined)}
    if entry.outcomes:
        return Counter([each.verdict.value for each in appended.applied_to(entry.outcomes)])
    known = len(appended.duplicates)  # every item is an event
    return {"stored": len(entry.rows) - known, "duplicate": known}


def _failure(number: int, error: BaseException) -> Failure:
    """Return the message about an entry that is not kept: for now, or because it is at fault itself."""
    if isinstance(error, StorageUnavailable):
        return Failure(number, str(error), error.retry_after)
    log.error("cannot keep an entry", exc_info=error)
    return Failure(number, f"the server cannot keep it, its log says why: {error!r}", None)
