"""One client's connection: the answers that it gets, and when it is closed. It knows nothing of what is served."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol, cast

from aiohttp import web

from gateway.dialect.message import Response
from gateway.http.answer import Answer, serialize
from gateway.http.client_address import peer_of
from gateway.http.connection_limits import ConnectionLimits, Idle, Peer
from gateway.http.handler import INTERNAL
from gateway.http.limits import FLOOD_SECONDS, LINGER_SECONDS
from gateway.http.pacing import PacedProtocol
from gateway.logs.repeats import Repeats

NOT_HTTP = Response(400, b"bad request: this is not HTTP that the gateway reads\n", "text/plain; charset=utf-8")
log = logging.getLogger(__name__)


def not_http() -> bytes:
    """Return the answer to what is not HTTP. It never repeats the client's bytes: they may hold credentials."""
    return serialize(NOT_HTTP, "", int(time.time()), keep_alive=False)


class Accepted(Protocol):
    """What is asked of an accepted socket."""

    @property
    def family(self) -> int:
        """AF_INET, AF_INET6 or AF_UNIX."""
        ...

    def fileno(self) -> int:
        """Return its descriptor."""
        ...


class Connection(PacedProtocol):
    """What aiohttp asks of a protocol, and what it leaves open.

    - What is not HTTP is answered with a fixed text, and logged without its bytes.
    - A refused request is read on and dropped for a while, so that its answer arrives.
    - `is_stalled` tells of a client that takes no byte of what was written to it.
    - One that is too many is closed at once.
    """

    __slots__ = (
        "_counted",
        "_is_admitted",
        "_limits",
        "_lost",
        "_others",
        "_refusals",
        "_stalled_bytes",
        "_stalled_since",
        "is_proxys",
    )

    def __init__(
        self,
        *settings: Any,
        limits: ConnectionLimits,
        others: Callable[[], Iterable[Idle]],
        refusals: Repeats,
        **options: Any,
    ) -> None:
        super().__init__(*settings, **options)
        self.is_proxys = False  # a trusted one's, and limits are set: its requests count, each for its client
        self._limits = limits
        self._others = others
        self._refusals = refusals
        self._counted: Peer = b""
        self._is_admitted = False
        self._lost: asyncio.Future[None] | None = None
        self._stalled_bytes = 0
        self._stalled_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        if not self._is_admitted and not self.admit(
            transport.get_extra_info("socket"), transport.get_extra_info("peername")
        ):
            refused = cast(asyncio.Transport, transport)  # uvloop's are not in its class tree
            refused.set_protocol(asyncio.Protocol())  # and nothing of aiohttp's is made for it
            refused.abort()
            return
        super().connection_made(transport)

    def admit(self, accepted: Accepted, peername: object) -> bool:
        """Return whether the limits leave room for this connection; count it, until it is lost or let go."""
        limits = self._limits
        self._is_admitted = True
        if not limits.make_room(accepted.fileno(), self._others):
            return False
        if not limits.per_address:
            return True
        address = peer_of(peername, accepted.family)
        self.is_proxys = limits.is_trusted(address)
        counted = b"" if self.is_proxys else limits.enter(address)
        self._counted = counted or b""
        return counted is not None

    def connection_lost(self, exc: BaseException | None) -> None:
        """See asyncio.Protocol."""
        super().connection_lost(exc)
        self.let_go()
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(None)

    def let_go(self) -> None:
        """Count the connection out."""
        if self._counted:
            self._limits.leave(self._counted)
            self._counted = b""

    def is_answering(self, number: int) -> bool:
        """Return whether the request with that number, from 0, is still being answered."""
        return self.transport is not None and self.is_busy and self.answered == number

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
        self._lost = self._loop.create_future()
        if transport.can_write_eof():
            try:
                transport.write_eof()
            except OSError:  # the client has reset the connection, which shows only now
                return
            if not self.is_flood:
                self._resume_transport_reading()
        else:  # TLS tells the client of the end, and drops what comes, by itself
            transport.close()
        await asyncio.wait([self._lost], timeout=FLOOD_SECONDS if self.is_flood else LINGER_SECONDS)
        if not self._lost.done() and not transport.can_write_eof():
            transport.abort()

    def log_refusal(self, why: str) -> None:
        """See PacedProtocol; more of the same are counted."""
        self._refusals.add(why, lambda: (f"a request from {self.peer}: {why}", {"peer": self.peer, "reason": why}))

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
            self.log_refusal("its bytes are not HTTP")
            data = not_http()
        # aiohttp asks nothing of a response but what Answer has.
        return Answer(data, self, keep_alive=False, linger=True)  # type: ignore[return-value]
