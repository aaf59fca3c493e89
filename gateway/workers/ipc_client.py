"""A front's side of the one writer process: a Storage that sends its entries over a Unix socket. No engine here."""

import asyncio
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from gateway.dialect.outcome import StorageUnavailable
from gateway.storage.contract import Appended, Entry
from gateway.workers.ipc_codec import LAYOUT, Frames, appended_up, encode, entry_down

SOCKET = "writer.sock"
RETRY_SECONDS = 0.1
log = logging.getLogger(__name__)


@contextmanager
def socket_address(directory: Path) -> Iterator[str]:
    """Yield the socket's address by way of the folder's descriptor: it has room for 107 bytes, a path may be longer."""
    folder = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET}"
    finally:
        os.close(folder)


class RemoteStorage:
    """The log behind the writer's socket in a data directory.

    `queue_bytes` bounds what was sent and is not answered. When the writer goes, everything in flight fails at once,
    for nobody knows what became of it: the client retries, and the writer tells what was seen before. It is connected
    to again by itself.
    """

    def __init__(self, directory: Path, *, queue_bytes: int, retry_seconds: float = RETRY_SECONDS) -> None:
        self._directory = directory
        self._queue_bytes = queue_bytes
        self._retry_seconds = retry_seconds
        self._link: _Link | None = None
        self._healthy = False
        self._changed = asyncio.Event()
        self._numbers = 0
        self._in_flight: dict[int, tuple[asyncio.Future[Appended], int]] = {}
        self._bytes = 0
        self._out: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        self._keeper = self._loop.create_task(self._keep_connected())

    @property
    def healthy(self) -> bool:
        """Whether an append can be expected to succeed: as the writer last said, and only while it is there."""
        return self._healthy

    async def wait_ready(self) -> None:
        """Wait until the writer said that it is there for the first time."""
        while not self._healthy:
            await self._changed.wait()

    async def append(self, entry: Entry) -> Appended:
        """Return once the writer has the entry on disk. Raises StorageUnavailable at once where it cannot be sent."""
        return await self.submit(entry)

    def submit(self, entry: Entry) -> asyncio.Future[Appended]:
        """Send the entry; the future is done once the writer has it on disk. Raises StorageUnavailable as append."""
        if self._link is None:
            raise StorageUnavailable("the writer is not there")
        number = self._numbers = self._numbers + 1
        frame = encode((number, entry_down(entry)))
        size = len(frame)
        # As in group commit: what is larger than the bound gets in when nothing else is in flight.
        if self._bytes and self._bytes + size > self._queue_bytes:
            raise StorageUnavailable("too much waits to be written")
        answer: asyncio.Future[Appended] = self._loop.create_future()
        self._in_flight[number] = (answer, size)
        self._bytes += size
        if not self._out:  # one write for all that this turn of the loop sends
            self._loop.call_soon(self._flush)
        self._out.append(frame)
        return answer

    async def close(self) -> None:
        """Leave the writer; by now nothing should be in flight."""
        self._keeper.cancel()
        await asyncio.wait([self._keeper])
        if self._link is not None:
            self._flush()
            self._link.close()
            await self._link.gone.wait()

    def _flush(self) -> None:
        out, self._out = self._out, []
        if self._link is not None and out:
            self._link.write(b"".join(out))

    async def _keep_connected(self) -> None:
        while True:
            try:
                link = await self._connect()
            except OSError as error:  # the supervisor holds the socket, so that this is hardly ever seen
                log.debug("cannot reach the writer: %s", error)
            else:
                await link.gone.wait()
            await asyncio.sleep(self._retry_seconds)

    async def _connect(self) -> "_Link":
        """Connect; while no writer runs the socket takes the connection all the same, and nothing is heard on it."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            with socket_address(self._directory) as address:
                connection.connect(address)
        except OSError:
            connection.close()
            raise
        _, link = await self._loop.create_unix_connection(lambda: _Link(self), sock=connection)
        return link

    def on_hello(self, link: "_Link", layout: str, healthy: bool) -> None:
        """Begin to send, unless the writer is of another version."""
        if layout != LAYOUT:
            log.error("the writer runs another version of the gateway; restart the gateway")
            return
        self._link = link
        self.on_health(healthy)

    def on_health(self, healthy: bool) -> None:
        """Take over how the writer's store is."""
        self._healthy = healthy
        self._changed.set()
        self._changed = asyncio.Event()

    def answered(self, number: int, appended: list[Any]) -> None:
        """Settle one entry."""
        answer, size = self._in_flight.pop(number)
        self._bytes -= size
        if not answer.done():  # done where the client went away: its entry is kept all the same
            answer.set_result(appended_up(appended))

    def failed(self, number: int, why: str, retry_after: int | None) -> None:
        """Fail one entry: unavailable, or itself at fault where there is no time to come back."""
        answer, size = self._in_flight.pop(number)
        self._bytes -= size
        if not answer.done():
            error = RuntimeError(why) if retry_after is None else StorageUnavailable(why, retry_after)
            answer.set_exception(error)

    def on_disconnect(self, link: "_Link") -> None:
        """Fail what is in flight."""
        if self._link is not link:
            return
        self._link = None
        self.on_health(False)
        flying, self._in_flight, self._bytes, self._out = self._in_flight, {}, 0, []
        for answer, _ in flying.values():
            if not answer.done():
                answer.set_exception(StorageUnavailable("the writer ended"))


class _Link(asyncio.Protocol):
    """One connection to the writer."""

    def __init__(self, storage: RemoteStorage) -> None:
        self._storage = storage
        self._frames = Frames()
        self._transport: asyncio.WriteTransport | None = None
        self.gone = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's is one without saying so

    def data_received(self, data: bytes) -> None:
        storage = self._storage
        for message in self._frames.feed(data):
            match message:
                case (int(number), appended):
                    storage.answered(number, appended)
                case (int(number), str(why), retry_after):
                    storage.failed(number, why, retry_after)
                case (bool(healthy),):
                    storage.on_health(healthy)
                case (str(layout), bool(healthy)):
                    storage.on_hello(self, layout, healthy)

    def connection_lost(self, _error: Exception | None) -> None:
        self._storage.on_disconnect(self)
        self.gone.set()

    def write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)

    def close(self) -> None:
        assert self._transport is not None
        self._transport.close()
