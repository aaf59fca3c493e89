"""The writer process's side: takes entries from the fronts' connections to a Storage, and answers. No engine here."""

import asyncio
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

from gateway.dialect.outcome import StorageUnavailable
from gateway.malloc_trim import IdleTrimmer
from gateway.storage.contract import Appended, SubmittingStorage
from gateway.workers.ipc_client import SOCKET, socket_address
from gateway.workers.ipc_codec import LAYOUT, Frames, appended_down, encode, entry_up

BACKLOG = 512
HEALTH_SECONDS = 0.1
SHUTDOWN_GRACE = 5.0  # seconds that fronts have to hang up once the writer is to end
log = logging.getLogger(__name__)


@contextmanager
def bound(directory: Path) -> Iterator[socket.socket]:
    """Listen on a socket in a data directory whose lock the caller holds, for this user alone.

    Whoever holds it keeps the fronts' connections waiting while one writer ends and the next one starts.
    """
    path = directory / SOCKET
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        os.fchmod(listener.fileno(), 0o600)  # Linux gives this mode to the name, from its first moment on
        with socket_address(directory) as address:
            listener.bind(address)
        listener.listen(BACKLOG)
        yield listener
        path.unlink(missing_ok=True)


class IpcServer:
    """Serves fronts from one storage until stopped. What a front sent is committed, also where the front is gone."""

    def __init__(self, storage: SubmittingStorage) -> None:
        self._storage = storage
        self._clients: set[_ClientConnection] = set()
        self._in_flight: set[asyncio.Future[Appended]] = set()
        self._server: asyncio.Server | None = None
        self._healthy = storage.healthy
        self._watch: asyncio.Task[None] | None = None
        self.trimmer = IdleTrimmer()

    async def start(self, listener: socket.socket) -> None:
        """Take in the fronts that connect."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: _ClientConnection(self), sock=listener)
        self._watch = loop.create_task(self._look_after())

    async def stop(self) -> None:
        """Read to the end what fronts sent, and commit it; the fronts should be gone already."""
        assert self._server is not None
        assert self._watch is not None
        self._server.close()
        self._watch.cancel()
        deadline = asyncio.get_running_loop().time() + SHUTDOWN_GRACE
        while self._clients and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        for client in list(self._clients):
            client.close()
        if self._in_flight:
            await asyncio.wait(self._in_flight)

    def joined(self, client: "_ClientConnection") -> None:
        """Greet a front."""
        self._clients.add(client)
        client.send((LAYOUT, self._storage.healthy))

    def left(self, client: "_ClientConnection") -> None:
        """Forget a front; what it sent goes its way."""
        self._clients.discard(client)

    def took(self, client: "_ClientConnection", number: int, row: list[Any]) -> None:
        """Append one entry, and answer when it is on disk."""
        try:
            answer = self._storage.submit(entry_up(row))
        except Exception as error:
            client.send(_problem(number, error))
        else:
            self._in_flight.add(answer)
            answer.add_done_callback(partial(self._answer, client, number))

    def _answer(self, client: "_ClientConnection", number: int, answer: asyncio.Future[Appended]) -> None:
        self._in_flight.discard(answer)
        if answer.cancelled():  # the loop ends
            return
        error = answer.exception()
        client.send((number, appended_down(answer.result())) if error is None else _problem(number, error))

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(HEALTH_SECONDS)
            self.trimmer.tick()
            if self._healthy != self._storage.healthy:
                self._healthy = self._storage.healthy
                for client in self._clients:
                    client.send((self._healthy,))


def _problem(number: int, error: BaseException) -> tuple[int, str, int | None]:
    """Return the message about an entry that is not kept: for now, or itself at fault."""
    if isinstance(error, StorageUnavailable):
        return (number, str(error), error.retry_after)
    return (number, f"the writer could not keep an entry: {error!r}", None)


class _ClientConnection(asyncio.Protocol):
    """One front's connection. Reading never pauses: each front bounds what it has in flight, and so does the store."""

    def __init__(self, writer: IpcServer) -> None:
        self._writer = writer
        self._frames = Frames()
        self._out: list[bytes] = []
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's is one without saying so
        self._writer.joined(self)

    def data_received(self, data: bytes) -> None:
        self._writer.trimmer.bytes_received += len(data)
        for number, row in self._frames.feed(data):
            self._writer.took(self, number, row)

    def connection_lost(self, _error: Exception | None) -> None:
        self._transport = None
        self._writer.left(self)

    def send(self, message: tuple[object, ...]) -> None:
        """Send a message along with the others of this turn of the loop: a commit answers many at once."""
        if not self._out:
            asyncio.get_running_loop().call_soon(self._flush)
        self._out.append(encode(message))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _flush(self) -> None:
        out, self._out = self._out, []
        if self._transport is not None:
            self._transport.write(b"".join(out))
