"""One client's connection: the answers that it gets, and when it is closed. It knows nothing of what is served."""

import asyncio
import logging
import time
from typing import Any

from aiohttp import web

from gateway.dialect.message import Response
from gateway.http.answer import Answer, serialize
from gateway.http.handler import INTERNAL
from gateway.http.limits import LINGER_SECONDS
from gateway.http.pacing import PacedProtocol

NOT_HTTP = Response(400, b"bad request: this is not HTTP that the gateway reads\n", "text/plain; charset=utf-8")
log = logging.getLogger(__name__)


def not_http() -> bytes:
    """Return the answer to what is not HTTP. It never repeats the client's bytes: they may hold credentials."""
    return serialize(NOT_HTTP, "", int(time.time()), keep_alive=False)


class Connection(PacedProtocol):
    """What aiohttp asks of a protocol, and what it leaves open.

    - What is not HTTP is answered with a fixed text, and logged without its bytes.
    - A refused request is read on and dropped for a while, so that its answer arrives.
    - `is_stalled` tells of a client that takes no byte of what was written to it.
    """

    __slots__ = ("_lost", "_stalled_bytes", "_stalled_since")

    def __init__(self, *settings: Any, **options: Any) -> None:
        super().__init__(*settings, **options)
        self._lost: asyncio.Future[None] | None = None
        self._stalled_bytes = 0
        self._stalled_since = 0.0

    def connection_lost(self, exc: BaseException | None) -> None:
        """See asyncio.Protocol."""
        super().connection_lost(exc)
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(None)

    def is_stalled(self, now: float, seconds: float) -> bool:
        """Return whether the client has taken nothing of what is written for so many seconds; asked at intervals."""
        waiting = 0 if self.kept_transport is None else self.kept_transport.get_write_buffer_size()
        if not waiting or waiting != self._stalled_bytes:
            self._stalled_bytes, self._stalled_since = waiting, now
        return bool(waiting) and now - self._stalled_since >= seconds

    async def send(self, data: bytes) -> None:
        """Write a whole answer; wait while the client takes none."""
        self.answered += 1
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        transport.write(data)
        if self.writing_paused:
            try:
                await self._drain_helper()
            except ConnectionError as lost:
                lost.with_traceback(None)  # one of its frames refers to the future that raised it: a reference cycle

    async def linger(self) -> None:
        """Stop sending, and drop what has come and still comes for a while.

        Bytes that nobody reads make the kernel reset the connection, and the answer may go with it.
        """
        self._close = True
        self.drop_pending()
        if self._payload.exception() is None:
            self._payload.read_nowait()
        transport = self.transport
        if transport is None or transport.is_closing() or self._client_done or self.is_flood:
            return
        try:
            transport.write_eof()
        except OSError:  # the client has reset the connection, which shows only now
            return
        self._resume_transport_reading()
        self._lost = self._loop.create_future()
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
            data = serialize(INTERNAL, "", int(time.time()), keep_alive=False)
        else:
            log.info("refused what is not HTTP, from %s", self.peer)
            data = not_http()
        # aiohttp asks nothing of a response but what Answer has.
        return Answer(data, self, keep_alive=False, linger=True)  # type: ignore[return-value]
