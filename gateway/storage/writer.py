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

from gateway.heap import Holes
from gateway.outcome import StorageUnavailable
from gateway.storage.base import Appended, Submitting
from gateway.storage.frames import LAYOUT, Frames, appended_down, encode, entry_up
from gateway.storage.remote import SOCKET, near

BACKLOG = 512
HEALTH_SECONDS = 0.1
LAST_WORDS = 5.0  # seconds that fronts have to hang up once the writer is to end
log = logging.getLogger("gateway.storage")


@contextmanager
def bound(directory: Path) -> Iterator[socket.socket]:
    """Listen on a socket in a data directory whose lock the caller holds, for this user alone.

    Whoever holds it keeps the fronts' connections waiting while one writer ends and the next one starts.
    """
    path = directory / SOCKET
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        os.fchmod(listener.fileno(), 0o600)  # Linux gives this mode to the name, from its first moment on
        with near(directory) as address:
            listener.bind(address)
        listener.listen(BACKLOG)
        yield listener
        path.unlink(missing_ok=True)


class Writer:
    """Serves fronts from one storage until stopped. What a front sent is committed, also where the front is gone."""

    def __init__(self, storage: Submitting) -> None:
        self._storage = storage
        self._fronts: set[_Front] = set()
        self._flying: set[asyncio.Future[Appended]] = set()
        self._server: asyncio.Server | None = None
        self._well = storage.healthy
        self._watch: asyncio.Task[None] | None = None
        self.holes = Holes()

    async def start(self, listener: socket.socket) -> None:
        """Take in the fronts that connect."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: _Front(self), sock=listener)
        self._watch = loop.create_task(self._look_after())

    async def stop(self) -> None:
        """Read to the end what fronts sent, and commit it; the fronts should be gone already."""
        assert self._server is not None
        assert self._watch is not None
        self._server.close()
        self._watch.cancel()
        deadline = asyncio.get_running_loop().time() + LAST_WORDS
        while self._fronts and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        for front in list(self._fronts):
            front.close()
        if self._flying:
            await asyncio.wait(self._flying)

    def joined(self, front: "_Front") -> None:
        """Greet a front."""
        self._fronts.add(front)
        front.send((LAYOUT, self._storage.healthy))

    def left(self, front: "_Front") -> None:
        """Forget a front; what it sent goes its way."""
        self._fronts.discard(front)

    def took(self, front: "_Front", number: int, row: list[Any]) -> None:
        """Append one entry, and answer when it is on disk."""
        try:
            answer = self._storage.submit(entry_up(row))
        except Exception as error:
            front.send(_problem(number, error))
        else:
            self._flying.add(answer)
            answer.add_done_callback(partial(self._answer, front, number))

    def _answer(self, front: "_Front", number: int, answer: asyncio.Future[Appended]) -> None:
        self._flying.discard(answer)
        if answer.cancelled():  # the loop ends
            return
        error = answer.exception()
        front.send((number, appended_down(answer.result())) if error is None else _problem(number, error))

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(HEALTH_SECONDS)
            self.holes.look()
            if self._well != self._storage.healthy:
                self._well = self._storage.healthy
                for front in self._fronts:
                    front.send((self._well,))


def _problem(number: int, error: BaseException) -> tuple[int, str, int | None]:
    """Return the message about an entry that is not kept: for now, or itself at fault."""
    if isinstance(error, StorageUnavailable):
        return (number, str(error), error.retry_after)
    return (number, f"the writer could not keep an entry: {error!r}", None)


class _Front(asyncio.Protocol):
    """One front's connection. Reading never pauses: each front bounds what it has in flight, and so does the store."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._frames = Frames()
        self._out: list[bytes] = []
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's is one without saying so
        self._writer.joined(self)

    def data_received(self, data: bytes) -> None:
        self._writer.holes.taken += len(data)
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
