"""An answer as the bytes that go out, in one piece, and the object that aiohttp sends it by."""

import functools
from email.utils import formatdate
from http import HTTPStatus
from typing import Protocol

from aiohttp import web

from gateway.dialect.message import Response

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_KEEP_ALIVE_1_0, _CLOSE = "Connection: keep-alive\r\n", "Connection: close\r\n"
_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_NO_LENGTH = (204, 304)


class Sender(Protocol):
    """A connection, as far as an answer needs it."""

    async def send(self, data: bytes) -> None:
        """Write a whole answer; wait while the client takes none."""
        ...

    async def linger(self) -> None:
        """Stop sending, and drop what still comes for a while."""
        ...

    def go_on(self) -> None:
        """Read the next request."""
        ...


class Answer:
    """What aiohttp's server asks of a response, and no more: head and body are written in one call.

    `aiohttp.web.Response` takes 20 us more of CPU. Where `linger` is set, more of the request may still come: it is
    read and dropped for a while, or the answer might not arrive.
    """

    __slots__ = ("_data", "_linger", "_sender", "keep_alive")

    def __init__(self, data: bytes, sender: Sender, keep_alive: bool, *, linger: bool = False) -> None:
        self.keep_alive = keep_alive
        self._data = data
        self._sender = sender
        self._linger = linger

    async def prepare(self, _request: web.BaseRequest) -> None:
        """Write the answer."""
        await self._sender.send(self._data)

    async def write_eof(self) -> None:
        """Do what is left behind a whole answer."""
        if self._linger:
            await self._sender.linger()
        elif self.keep_alive:
            self._sender.go_on()


def serialize(
    response: Response, common: str, seconds: int, *, keep_alive: bool, is_1_0: bool = False, with_body: bool = True
) -> bytes:
    """Return a response as HTTP/1.1; `common` are header lines, each with its end, that every answer has, and
    `seconds` is the time for its Date.

    Raises ValueError on a header of the response's own that would end its line.
    """
    connection = _CLOSE if not keep_alive else _KEEP_ALIVE_1_0 if is_1_0 else ""
    lines = _LINES[response.status] + common + connection
    for name, value in response.headers.items():
        if "\n" in value or "\r" in value:
            raise ValueError("a header's value has a line break")
        lines += f"{name}: {value}\r\n"
    date = _date(seconds)
    body = response.body
    if body is None:
        length = "" if response.status in _NO_LENGTH else "Content-Length: 0\r\n"
        return f"{lines}{length}{date}".encode("utf-8", "surrogateescape")
    lines = f"{lines}Content-Type: {response.content_type}\r\nContent-Length: {len(body)}\r\n{date}"
    head = lines.encode("utf-8", "surrogateescape")
    return head + body if with_body else head


@functools.lru_cache(maxsize=16)
def _date(seconds: int) -> str:
    return f"Date: {formatdate(seconds, usegmt=True)}\r\n\r\n"
