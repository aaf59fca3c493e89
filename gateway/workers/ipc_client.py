"""The client's side of the gateway's socket: a Storage for HTTP workers and for commands beside a server."""

import asyncio
import logging
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from gateway.dialect.outcome import StorageUnavailable
from gateway.storage.contract import Appended, Entry, Queue
from gateway.storage.erasing.step import ErasureStep, StepResult
from gateway.storage.group_commit import weight
from gateway.workers.ipc_codec import (
    HELLO,
    Answer,
    Append,
    Erase,
    Erased,
    Failure,
    FrameError,
    FromServer,
    Health,
    Hello,
    version_mismatch,
)
from gateway.workers.ipc_connection import Connection
from gateway.workers.ipc_outbox import Outbox
from gateway.workers.ipc_socket import connected

RETRY_SECONDS = 0.1
HELLO_SECONDS = 10.0  # for the server to say Hello; a writer that ended is started again in less
log = logging.getLogger(__name__)


class RemoteStorage:
    """The log of the gateway that listens on the socket of a data directory.

    `queue_bytes` bounds what was sent and is not answered. When the connection is lost, everything in flight fails at
    once: whether it was stored is not known, so its client must retry, and deduplication makes that safe. The
    connection is made again by itself, `retry_seconds` later. `first` is a connection to begin with, see `connect`.
    """

    def __init__(
        self,
        directory: Path,
        *,
        queue_bytes: int,
        retry_seconds: float = RETRY_SECONDS,
        first: socket.socket | None = None,
    ) -> None:
        self._directory = directory
        self._queue_bytes = queue_bytes
        self._retry_seconds = retry_seconds
        self._connection: Connection[FromServer] | None = None  # a connection on which the server said Hello
        self._healthy = False
        self._mismatch: str | None = None
        self._logs_mismatch = first is None
        self._changed = asyncio.Event()
        self._last_number = 0
        self._in_flight: dict[int, tuple[asyncio.Future[Appended], int]] = {}
        self._steps: dict[int, asyncio.Future[StepResult]] = {}
        self._bytes = 0
        self._loop = asyncio.get_running_loop()
        self._outbox = Outbox(self._send, self._loop)
        self._keeper = self._loop.create_task(self._keep_connected(first))

    @classmethod
    async def connect(cls, directory: Path, *, queue_bytes: int, hello_seconds: float = HELLO_SECONDS) -> Self:
        """Return the storage of the gateway that runs on the directory: what a command needs.

        Raises OSError at once when nobody listens, and StorageUnavailable when the gateway is another version or says
        nothing for `hello_seconds`.
        """
        storage = cls(directory, queue_bytes=queue_bytes, first=connected(directory))
        try:
            async with asyncio.timeout(hello_seconds):
                while storage._connection is None:
                    if storage._mismatch is not None:
                        raise StorageUnavailable(storage._mismatch)
                    await storage._changed.wait()
        except BaseException as error:
            await storage.close()
            if isinstance(error, TimeoutError):
                raise StorageUnavailable(f"the gateway on {directory} does not answer; see its log") from None
            raise
        return storage

    @property
    def healthy(self) -> bool:
        """Whether an append can be expected to succeed: as the server last said, and only while it is connected."""
        return self._healthy

    @property
    def queue(self) -> Queue:
        """What was sent to the server and is not answered."""
        return Queue(self._bytes, self._queue_bytes)

    async def wait_ready(self) -> None:
        """Wait until the server says for the first time that its store is well."""
        while not self._healthy:
            await self._changed.wait()

    async def append(self, entry: Entry) -> Appended:
        """Return once the entry is on disk.

        Raises StorageUnavailable when it cannot be kept now, at once when it cannot be sent; ValueError when it can
        never be sent, RuntimeError when the server found the entry itself at fault.
        """
        return await self.submit(entry)

    def submit(self, entry: Entry) -> asyncio.Future[Appended]:
        """Send the entry soon, and return a future of what `append` returns or raises.

        Raises StorageUnavailable when it cannot be sent, ValueError when it never can.
        """
        if self._connection is None:
            raise StorageUnavailable(self._mismatch or "not connected to the writer")
        try:
            size = weight(entry)
        except TypeError as error:
            raise ValueError(f"cannot be sent to another process: {error}") from error
        # As in group commit: what is larger than the bound gets in when nothing else is in flight.
        if self._bytes and self._bytes + size > self._queue_bytes:
            raise StorageUnavailable("too much waits to be written")
        number = self._last_number = self._last_number + 1
        answer: asyncio.Future[Appended] = self._loop.create_future()
        self._in_flight[number] = (answer, size)
        self._bytes += size
        self._outbox.add(number, entry, size)
        return answer

    async def erase(self, step: ErasureStep) -> StepResult:
        """See ErasingStorage. One step at a time."""
        if self._connection is None:
            raise StorageUnavailable(self._mismatch or "not connected to the writer")
        number = self._last_number = self._last_number + 1
        answer: asyncio.Future[StepResult] = self._loop.create_future()
        self._steps[number] = answer
        self._connection.send(Erase(number, step))
        return await answer

    async def close(self) -> None:
        """Disconnect; by now nothing should be in flight."""
        self._keeper.cancel()
        await asyncio.wait([self._keeper])

    async def _keep_connected(self, first: socket.socket | None) -> None:
        while True:
            try:
                # While no writer runs, the socket that the supervisor holds takes the connection and says nothing.
                sock = first or connected(self._directory)
                first = None
                _, connection = await self._loop.create_unix_connection(lambda: Connection(self, FromServer), sock=sock)
            except OSError as error:
                log.debug("cannot reach the writer: %s", error)
            else:
                try:
                    await connection.gone.wait()
                finally:
                    if connection is self._connection:
                        self._outbox.flush()
                    connection.close()
                    await connection.gone.wait()
            await asyncio.sleep(self._retry_seconds)

    def on_connect(self, connection: Connection[FromServer]) -> None:
        """Wait for the server's Hello."""

    def on_hello(self, connection: Connection[FromServer], fingerprint: str) -> None:
        """Begin to send, unless the server is another version."""
        if mismatch := version_mismatch(fingerprint):
            self._on_mismatch(connection, mismatch)
            return
        connection.send(HELLO)
        self._connection, self._mismatch = connection, None
        self._notify()

    def on_message(self, connection: Connection[FromServer], message: FromServer) -> None:
        """Settle an entry, or take over how the store is."""
        match message:
            case Erased(number, done) if number in self._steps:
                self._steps.pop(number).set_result(done)
            case Failure(number, why, retry_after) if number in self._steps:
                error = RuntimeError(why) if retry_after is None else StorageUnavailable(why, retry_after)
                self._steps.pop(number).set_exception(error)
            case Erased():
                raise FrameError("an answer to a step of an erasure that is not in flight")
            case Answer(number, appended):
                for each, result in enumerate(appended, number):
                    self._settle(each, result)
            case Failure(number, why, None):
                self._settle(number, RuntimeError(why))
            case Failure(number, why, int(retry_after)):
                self._settle(number, StorageUnavailable(why, retry_after))
            case Health(healthy):
                self._healthy = healthy
                self._notify()
            case Hello():
                raise FrameError("a second Hello")

    def on_broken(self, connection: Connection[FromServer], error: FrameError) -> None:
        """Connect again, or give up on a server whose Hello cannot be read."""
        if connection is self._connection:
            log.error("cannot read what the writer sends, connecting again: %r", str(error))
            connection.abort()
        else:
            self._on_mismatch(connection, "another version")

    def on_disconnect(self, connection: Connection[FromServer]) -> None:
        """Fail what is in flight."""
        if self._connection is not connection:
            return
        self._connection, self._healthy = None, False
        self._notify()
        self._outbox.clear()
        steps, self._steps = self._steps, {}
        for step in steps.values():
            step.set_exception(StorageUnavailable("the server ended before it answered; erase again"))
        in_flight, self._in_flight, self._bytes = self._in_flight, {}, 0
        for answer, _ in in_flight.values():
            if not answer.done():
                answer.set_exception(StorageUnavailable("the server ended before it answered; try again"))

    def _send(self, number: int, group: Sequence[Entry]) -> None:
        """Send entries as one message; if one cannot be sent, fail it alone."""
        assert self._connection is not None
        try:
            self._connection.send(Append(number, tuple(group)))
        except ValueError as error:
            if len(group) == 1:
                self._settle(number, error)
                return
            for each, entry in enumerate(group, number):
                self._send(each, [entry])

    def _on_mismatch(self, connection: Connection[FromServer], mismatch: str) -> None:
        """Send nothing to a server of another version. The connection stays: the next one would end in the same way."""
        connection.mute()
        self._mismatch = f"the running gateway is {mismatch}; restart it, or use its own version's command"
        if self._logs_mismatch:
            log.error("%s", self._mismatch)
        self._notify()

    def _settle(self, number: int, result: Appended | Exception) -> None:
        """Settle one entry. Raises FrameError when none of that number is in flight."""
        if number not in self._in_flight:
            raise FrameError(f"an answer to entry {number}, which is not in flight")
        answer, size = self._in_flight.pop(number)
        self._bytes -= size
        if answer.done():  # the client went away; its entry is kept all the same
            return
        if isinstance(result, Appended):
            answer.set_result(result)
        else:
            answer.set_exception(result)

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
