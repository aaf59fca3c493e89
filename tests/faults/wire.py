"""HTTP as these tests need it: raw requests, exact answers, and connections that can be cut at any moment."""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator, Mapping
from typing import Self
from urllib.parse import urlsplit

import attrs

PATIENCE = 20.0
NO_HEADERS: Mapping[str, str] = {}
_BODILESS = (204, 304)


class Cut(Exception):
    """The connection ended before the answer was whole."""


@attrs.frozen
class Answer:
    """What came back; headers by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def said(self) -> tuple[int, bytes]:
        """Return what a client goes by."""
        return self.status, self.body


def request(
    path: str, body: object = None, headers: Mapping[str, str] = NO_HEADERS, method: str | None = None
) -> bytes:
    """Return a whole request; a body that is not bytes is written as JSON."""
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"{method or ('GET' if body is None else 'POST')} {path} HTTP/1.1", "Host: gateway"]
    if body is not None:
        lines.append(f"Content-Length: {len(content)}")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + content


@attrs.define
class Connection:
    """One keep-alive connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect. Raises Cut where nobody listens."""
        place = urlsplit(url)
        try:
            return cls(*await asyncio.open_connection(place.hostname, place.port))
        except OSError as error:
            raise Cut(str(error)) from error

    async def exchange(self, raw: bytes, method: str = "POST") -> Answer:
        """Send one request and return its answer. Raises Cut."""
        try:
            self.writer.write(raw)
            async with asyncio.timeout(PATIENCE):
                return await self.answer(method)
        except (OSError, asyncio.IncompleteReadError) as error:
            if isinstance(error, TimeoutError):
                raise AssertionError(f"no answer within {PATIENCE:.0f} s") from error
            raise Cut(repr(error)) from error

    async def answer(self, method: str = "POST") -> Answer:
        """Read one answer, interim ones (100) skipped."""
        while True:
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head[:-4].split("\r\n")
            status = int(first.split(" ")[1])
            if status >= 200:
                break
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        bodiless = status in _BODILESS or method == "HEAD"
        length = 0 if bodiless else int(headers.get("content-length", "0"))
        return Answer(status, headers, await self.reader.readexactly(length))

    def cut(self) -> None:
        """Reset the connection, as a phone that loses its network does after a while."""
        raw = self.writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    """Connect for a while."""
    connection = await Connection.open(url)
    try:
        yield connection
    finally:
        connection.cut()


async def ask(url: str, raw: bytes) -> Answer:
    """Send one request on a connection of its own and return the answer."""
    async with connected(url) as connection:
        return await connection.exchange(raw, raw.partition(b" ")[0].decode("latin-1"))
