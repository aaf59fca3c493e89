"""One client's connection: aiohttp's protocol with the bounds that it lacks. It knows nothing of what is served.

Where this reaches into aiohttp (`_messages`, `_request_count`, `_close`) there is no public way to know how much of a
request has come; tests/http holds each use to what it is for.
"""

import asyncio
import logging
import time
from typing import Any

from aiohttp import EMPTY_PAYLOAD, StreamReader, web
from aiohttp.http import RawRequestMessage

from gateway.dialect.message import Response
from gateway.http.answer import Answer, serialize
from gateway.http.head import MAX_HEAD
from gateway.http.limits import LINGER_SECONDS
from gateway.malloc_trim import IdleTrimmer

NOT_HTTP = Response(400, b"bad request: this is not HTTP that the gateway reads\n", "text/plain; charset=utf-8")
log = logging.getLogger(__name__)


def not_http() -> bytes:
    """Return the answer to what is not HTTP. It never repeats the client's bytes: they may hold credentials."""
    return serialize(NOT_HTTP, "", int(time.time()), keep_alive=False)


class Connection(web.RequestHandler):
    """What aiohttp asks of a protocol, and what it leaves open.

    - A head that has not ended after MAX_HEAD bytes is refused; so is a body that takes more than `wire_limit` bytes.
    - A client that closes its sending side gets every answer that is due.
    - What is not HTTP is answered with a fixed text behind the answers that are due, and logged without its bytes.
    - `is_stalled` tells of a client that takes no byte of what was written to it.
    """

    __slots__ = (
        "_answered",
        "_body_left",
        "_client_done",
        "_head_end",
        "_is_broken",
        "_lost",
        "_payload",
        "_stalled_bytes",
        "_stalled_since",
        "_trimmer",
        "_unfinished",
        "kept_transport",
        "peer",
        "wire_limit",
    )

    def __init__(
        self, server: web.Server, trimmer: IdleTrimmer, *, loop: asyncio.AbstractEventLoop, **options: Any
    ) -> None:
        super().__init__(server, loop=loop, **options)
        self.peer: str | None = None
        self.kept_transport: asyncio.Transport | None = None
        self.wire_limit = float("inf")
        self._trimmer = trimmer
        self._lost = loop.create_future()
        self._payload: StreamReader = EMPTY_PAYLOAD
        self._unfinished = 0  # bytes of a head or body that has not ended
        self._head_end = b""  # the last bytes of a head that has not ended
        self._body_left = 0  # of a body whose length is known
        self._is_broken = False  # what came last is not HTTP: nothing behind it is read
        self._answered = 0
        self._client_done = False
        self._stalled_bytes = 0
        self._stalled_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self.kept_transport = self.transport
        name = transport.get_extra_info("peername")
        self.peer = name[0] if name else None

    def connection_lost(self, exc: BaseException | None) -> None:
        """See asyncio.Protocol. What is being committed for the client goes on."""
        super().connection_lost(exc)
        self.kept_transport = None
        if not self._lost.done():
            self._lost.set_result(None)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol.

        aiohttp forgets every request of a read that ends in an error. So it gets one head or one body at a time.
        """
        self._trimmer.bytes_received += len(data)
        if not data:  # aiohttp itself goes on with what it has put aside
            self._feed(data)
        while data and not (self._is_broken or self._close or self._force_close):
            end = self._end_of_part(data)
            part, data = data[:end], data[end:]
            self._feed(part)

    def _end_of_part(self, data: bytes) -> int:
        """Return how much of the data belongs to the head or body that it begins with or goes on with."""
        if self._buffer_paused:  # too many requests wait: the parser puts all aside, and must not do so piece by piece
            return len(data)
        if not self._payload.is_eof():
            return self._body_left or len(data)
        found = (self._head_end + data).find(b"\r\n\r\n")
        return len(data) if found < 0 else found + 4 - len(self._head_end)

    def _feed(self, part: bytes) -> None:
        count, was_in_body = self._request_count, not self._payload.is_eof()
        super().data_received(part)
        if self._request_count != count:
            if was_in_body and not self._payload.is_eof():  # the new one is only an error: aiohttp ends no body for it
                self._payload.set_exception(web.RequestPayloadError("the body is broken"))
            message, self._payload = self._messages[-1]
            self._unfinished, self._head_end, self._body_left = 0, b"", 0
            self._is_broken = not isinstance(message, RawRequestMessage)
            if not self._payload.is_eof() and isinstance(message, RawRequestMessage):
                self._body_left = int(message.headers.get("Content-Length", 0))
            return
        is_in_body = not self._payload.is_eof()
        self._unfinished = self._unfinished + len(part) if is_in_body == was_in_body else 0
        if is_in_body:
            self._body_left = max(0, self._body_left - len(part))
        else:
            self._head_end = (self._head_end + part)[-3:] if self._unfinished else b""
        if self._unfinished > (self.wire_limit if is_in_body else MAX_HEAD):
            self._refuse_overlong()

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio keeps the transport open for a True
        """Keep the connection for the answers that are due: a client may close its sending side behind its requests."""
        self._client_done = True
        if not self._payload.is_eof():
            self._payload.set_exception(web.RequestPayloadError("the body breaks off"))
        return self.is_busy and not self._close

    @property
    def is_busy(self) -> bool:
        """Whether a request has come whose answer was not written yet."""
        return self._request_count > self._answered

    @property
    def is_last(self) -> bool:
        """Whether the request that is being answered is the client's last, for it closed its sending side."""
        return self._client_done and self._request_count <= self._answered + 1

    def is_stalled(self, now: float, seconds: float) -> bool:
        """Return whether the client has taken nothing of what is written for so many seconds; asked at intervals."""
        waiting = 0 if self.kept_transport is None else self.kept_transport.get_write_buffer_size()
        if not waiting or waiting != self._stalled_bytes:
            self._stalled_bytes, self._stalled_since = waiting, now
        return bool(waiting) and now - self._stalled_since >= seconds

    def abort(self) -> None:
        """Close at once, whatever is still to be written."""
        if self.kept_transport is not None:
            self.kept_transport.abort()

    async def send(self, data: bytes) -> None:
        """Write a whole answer; wait while the client takes none. Raises ConnectionError where it is gone."""
        self._answered += 1
        self.wire_limit = float("inf")
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        transport.write(data)
        if self.writing_paused:
            await self._drain_helper()

    async def linger(self) -> None:
        """Stop sending, and drop what still comes for a while.

        Bytes that nobody reads make the kernel reset the connection, and the answer may go with it.
        """
        self._close = True
        if self.transport is not None and not self._client_done:
            self.transport.write_eof()
            self._resume_transport_reading()
            await asyncio.wait([self._lost], timeout=LINGER_SECONDS)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what aiohttp could not read; a status of 500 is a bug of ours."""
        if status >= 500:
            log.error("a bug answered 500", exc_info=exc)
        else:
            log.info("refused what is not HTTP, from %s", self.peer)
        # aiohttp asks nothing of a response but what Answer has.
        return Answer(not_http(), self, keep_alive=False, linger=True)  # type: ignore[return-value]

    def _refuse_overlong(self) -> None:
        """Give up on a head or a body without an end. Where answers are due, they come first."""
        log.info("refused a request without an end, from %s", self.peer)
        if self.is_busy or self.transport is None:
            self.abort() if self._answered == self._request_count - 1 else self.close()
            return
        self.transport.write(not_http())
        self._loop.create_task(self.linger()).add_done_callback(lambda _: self.abort())
