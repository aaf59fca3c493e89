"""One client's connection: the answers that it gets, and when it is closed. It knows nothing of what is served."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, cast

from aiohttp import web

from gateway.dialect.message import Response
from gateway.http.answer import Answer, serialize
from gateway.http.connection_limits import ConnectionLimits, Peer
from gateway.http.handler import INTERNAL
from gateway.http.limits import FLOOD_SECONDS, LINGER_SECONDS
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
    - One that is too many is closed at once.
    """

    __slots__ = ("_counted", "_limits", "_lost", "_others", "_stalled_bytes", "_stalled_since", "is_proxys")

    def __init__(
        self, *settings: Any, limits: ConnectionLimits, others: Callable[[], list["Connection"]], **options: Any
    ) -> None:
        super().__init__(*settings, **options)
        self.is_proxys = False  # a trusted one's, and limits are set: its requests count, each for its client
        self._limits = limits
        self._others = others
        self._counted: Peer = b""
        self._lost: asyncio.Future[None] | None = None
        self._stalled_bytes = 0
        self._stalled_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        if not self._is_kept(transport):
            refused = cast(asyncio.Transport, transport)  # uvloop's are not in its class tree
            refused.set_protocol(asyncio.Protocol())  # and nothing of aiohttp's is made for it
            refused.abort()
            return
        super().connection_made(transport)

    def _is_kept(self, transport: asyncio.BaseTransport) -> bool:
        """Return whether the limits leave room for this connection; count it."""
        limits = self._limits
        if not limits.make_room(transport.get_extra_info("socket").fileno(), self._others):
            return False
        if not limits.per_address:
            return True
        name = transport.get_extra_info("peername")
        address = name[0] if name else None
        self.is_proxys = limits.is_trusted(address)
        counted = b"" if self.is_proxys else limits.enter(address)
        self._counted = counted or b""
        return counted is not None

    def connection_lost(self, exc: BaseException | None) -> None:
        """See asyncio.Protocol."""
        super().connection_lost(exc)
        if self._counted:
            self._limits.leave(self._counted)
            self._counted = b""
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
        if transport is None or transport.is_closing() or self._client_done:
            return
        try:
            transport.write_eof()
        except OSError:  # the client has reset the connection, which shows only now
            return
        if not self.is_flood:
            self._resume_transport_reading()
        self._lost = self._loop.create_future()
        await asyncio.wait([self._lost], timeout=FLOOD_SECONDS if self.is_flood else LINGER_SECONDS)

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
