"""One client's connection: requests are answered one after the other, in their order. Neither HTTP's text nor rules."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import cast

import attrs

from gateway.dialect.message import Response
from gateway.dialect.outcome import Reason, Refusal
from gateway.http import eager_task
from gateway.http.client_address import ClientIp
from gateway.http.handler import INTERNAL, Destination, Handler, RequestHead
from gateway.http.request_parser import ParsedRequest, RequestParser
from gateway.http.response import CLOSE, CONTINUE, serialize
from gateway.malloc_trim import IdleTrimmer

LINGER_SECONDS = 5.0
PIECE = 64 * 1024
NEVER = float("inf")
log = logging.getLogger(__name__)


@attrs.define(eq=False)
class ServerState:
    """What the connections of one server have in common; `now` gives seconds, as the timeouts are."""

    handler: Handler
    client_ip: ClientIp
    body_timeout: float
    idle_timeout: float
    now: Callable[[], float]
    stopping: bool = False
    trimmer: IdleTrimmer = attrs.field(factory=IdleTrimmer)
    connections: "set[Connection]" = attrs.field(factory=set)


class Connection(asyncio.Protocol):
    """Has requests answered, and closes behind the last one.

    `expires` is when to call `expire`: where no request comes, a body does not become whole, or a client does not go
    away. While an answer is made, nothing expires: what is being committed gets its answer.
    """

    def __init__(self, state: ServerState) -> None:
        self.expires = state.now() + state.idle_timeout
        self._state = state
        self._transport: asyncio.Transport | None = None
        self._reading = RequestParser(self, state.client_ip)
        self._held = b""
        self._waiting: deque[ParsedRequest] = deque()
        self._answering: ParsedRequest | None = None
        self._client_done = False
        self._paused = False
        self._choked = False

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a client in."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without saying so
        peer = transport.get_extra_info("peername")
        self._reading.peer = peer[0] if peer else None
        self._state.connections.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        """Let the client go; what is being committed for it goes its way."""
        self._transport = None
        self._held = b""
        self._waiting.clear()
        self._state.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        """Read on; what a client sends before it has its answers is read when it has."""
        self._state.trimmer.bytes_received += len(data)
        self._held = self._held + data if self._held else data
        self._read_on()

    def eof_received(self) -> bool:
        """Answer what a client asked before it stopped talking; True keeps the connection for that."""
        self._client_done = True
        return self._is_busy or bool(self._held)

    def pause_writing(self) -> None:
        """Answer no more while the client does not take what it has."""
        self._choked = True

    def resume_writing(self) -> None:
        """Answer on."""
        self._choked = False
        self._go_on()
        self._read_on()

    # What the reading calls.

    def route(self, head: RequestHead) -> Destination:
        """Return where a request goes; its body has `body_timeout` seconds from now on."""
        if self._answering is None:
            self.expires = self._state.now() + self._state.body_timeout
        return self._state.handler.route(head)

    def take(self, request: ParsedRequest) -> None:
        """Answer a request, once those before it have their answers."""
        self._waiting.append(request)
        if self._answering is None:
            self._go_on()

    def expected(self) -> None:
        """Tell the client to send the body; behind an earlier answer it will go on by itself."""
        if self._answering is None and self._transport is not None:
            self._transport.write(CONTINUE)

    # What the server calls.

    def expire(self) -> None:
        """Give the client up, with an answer where a body did not come in time."""
        if self._reading.is_in_body:
            self._reading.refuse(Refusal(Reason.TIMEOUT))
        elif self._transport is not None:
            self._transport.abort()

    def finish(self) -> None:
        """Close, but for what was asked and has no answer yet."""
        if self._transport is not None and not self._is_busy and not self._reading.is_in_body:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _go_on(self) -> None:
        """Answer what waits, until the store must be waited for."""
        while self._waiting and self._answering is None and not self._choked:
            self._answering, self.expires = self._waiting.popleft(), NEVER
            response = self._begin(self._answering)
            if response is not None:
                self._write(response)

    def _begin(self, request: ParsedRequest) -> Response | None:
        """Return the answer, or None where it comes later."""
        if isinstance(request.body, Response):
            return request.body
        assert request.destination is not None, "only a ready answer has no destination"
        return eager_task.run_eagerly(request.destination.answer(request.body), self._answered)

    def _answered(self, response: Response) -> None:
        self._write(response)
        self._go_on()
        self._read_on()

    def _read_on(self) -> None:
        """Read what is there, a piece at a time: some bytes of a client's become a hundred times as many of ours."""
        transport = self._transport
        while self._held and not self._is_busy:
            piece, self._held = self._held[:PIECE], self._held[PIECE:]
            self._reading.feed(piece)
        if bool(self._held) != self._paused and transport is not None and not transport.is_closing():
            self._paused = not self._paused
            transport.pause_reading() if self._paused else transport.resume_reading()

    @property
    def _is_busy(self) -> bool:
        """Whether an answer has to be made or taken first."""
        return self._answering is not None or bool(self._waiting)

    def _write(self, response: Response) -> None:
        request, transport, state = self._answering, self._transport, self._state
        assert request is not None, "only an answer that is waited for is written"
        self._answering = None
        if transport is None or transport.is_closing():
            return
        connection = CLOSE if state.stopping else request.connection
        head = request.head
        common = state.handler.cors(head)
        with_body, now = head.method != "HEAD", int(time.time())
        try:
            transport.write(serialize(response, common, connection, now, with_body))
        except ValueError:
            log.exception("a bug answered 500 to a %s", head.method)
            transport.write(serialize(INTERNAL, common, connection, now, with_body))
        if connection == CLOSE:
            self._close(request)
        elif self._client_done and not self._waiting and not self._held:
            transport.close()
        else:
            self.expires = state.now() + (state.body_timeout if self._reading.is_in_body else state.idle_timeout)

    def _close(self, last: ParsedRequest) -> None:
        """Close behind an answer; where more may be under way, only once the client has had time to read it.

        Bytes that nobody reads make the kernel reset the connection, and the answer may go with it.
        """
        assert self._transport is not None, "an answer was just written"
        self._reading.input_closed = True
        self._held = b""
        self._waiting.clear()
        if last.whole or self._client_done:
            self._transport.close()
        else:
            self._transport.write_eof()
            self.expires = self._state.now() + LINGER_SECONDS
