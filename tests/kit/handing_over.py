"""A gateway on a socket that somebody else holds, as under systemd, and clients that never stop sending to it."""

import asyncio
import json
import os
import signal
import socket
import ssl
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Self

import attrs

START = (
    "import os, sys; given = int(sys.argv[1]); os.dup2(given, 3); os.close(given); "
    "os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES='http'); "
    "os.execv(sys.executable, [sys.executable, '-m', 'gateway', 'serve', *sys.argv[2:]])"
)
PATIENCE = 60.0


@attrs.define
class Holder:
    """Holds a listening socket, and starts one gateway after the other on it."""

    listener: socket.socket
    log: Path
    arguments: tuple[str, ...]
    process: asyncio.subprocess.Process | None = None

    async def start(self, *further: str) -> str:
        """Start a gateway, with further options; return what it printed last, its URL, once it is ready."""
        given = os.dup(self.listener.fileno())  # never 3
        try:
            with self.log.open("ab") as log:
                self.process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-c", START, str(given), *self.arguments, *further),
                    stdout=asyncio.subprocess.PIPE,
                    stderr=log,
                    pass_fds=[given],
                )
        finally:
            os.close(given)
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            async for line in self.process.stdout:
                if line.startswith((b"http://", b"https://", b"unix:")):
                    return line.decode().strip()
        raise AssertionError(f"the gateway ended before it was ready: {self.log.read_text()}")

    async def stop(self) -> int:
        """Stop it as an init system does; return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), PATIENCE)


@asynccontextmanager
async def holding(listener: socket.socket, log: Path, *arguments: str) -> AsyncIterator[Holder]:
    """Yield the holder of a bound socket, on which it listens; no gateway is left afterwards."""
    listener.listen(1024)
    holder = Holder(listener, log, arguments)
    try:
        with listener:
            yield holder
    finally:
        if holder.process is not None and holder.process.returncode is None:
            holder.process.kill()
            await holder.process.wait()


@attrs.define
class Sender:
    """Clients that send one event after the other. `answers` counts statuses, and by its name whatever else came.

    `lengthiest` is the longest time that one request took, in seconds.
    """

    address: tuple[str, int] | str
    path: str
    headers: str
    event: Callable[[str], dict[str, object]]
    tls: ssl.SSLContext | None = None
    answers: Counter[int | str] = attrs.field(factory=Counter)
    sent: int = 0
    reopened: int = 0
    lengthiest: float = 0.0
    going_on: bool = True

    async def fresh(self, name: str, *, hesitating: float = 0.0) -> None:
        """Send each event on a connection of its own, `hesitating` for a while before the request."""
        while self.going_on:
            await self._counted(lambda number: self._alone(f"{name} {number}", hesitating))

    async def kept(self, name: str) -> None:
        """Send all on one connection; open another when an answer says that this one ends."""
        connection = await Client.open(self.address, self.tls)
        while self.going_on:
            keeps = await self._counted(partial(self._on, connection, name))
            if not keeps:
                connection.writer.close()
                self.reopened += 1
                connection = await Client.open(self.address, self.tls)
        connection.writer.close()

    async def _on(self, connection: "Client", name: str, number: int) -> tuple[int, bool]:
        return await connection.send(self._request(f"{name} {number}"))

    async def _alone(self, name: str, hesitating: float) -> tuple[int, bool]:
        connection = await Client.open(self.address, self.tls)
        await asyncio.sleep(hesitating)
        try:
            return await connection.send(self._request(name))
        finally:
            connection.writer.close()

    async def _counted(self, send: Callable[[int], Awaitable[tuple[int, bool]]]) -> bool:
        self.sent += 1
        began = asyncio.get_running_loop().time()
        try:
            status, keeps = await asyncio.wait_for(send(self.sent), PATIENCE)
        except (OSError, asyncio.IncompleteReadError) as problem:
            self.answers[type(problem).__name__] += 1
            return False
        self.lengthiest = max(self.lengthiest, asyncio.get_running_loop().time() - began)
        self.answers[status] += 1
        return keeps

    def _request(self, name: str) -> bytes:
        body = json.dumps(self.event(name)).encode()
        head = f"POST {self.path} HTTP/1.1\r\nHost: g\r\n{self.headers}Content-Length: {len(body)}\r\n\r\n"
        return head.encode() + body


@attrs.frozen
class Client:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, address: tuple[str, int] | str, tls: ssl.SSLContext | None) -> Self:
        """Connect to a host and port, or to a Unix socket."""
        if isinstance(address, str):
            return cls(*await asyncio.open_unix_connection(address))
        return cls(*await asyncio.open_connection(*address, ssl=tls))

    async def send(self, request: bytes) -> tuple[int, bool]:
        """Return the answer's status, and whether the connection goes on."""
        self.writer.write(request)
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        _, found, length = head.partition(b"content-length: ")
        if found:
            await self.reader.readexactly(int(length.partition(b"\r\n")[0]))
        return int(head[9:12]), b"connection: close" not in head
