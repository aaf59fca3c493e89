"""Serves a Handler on some sockets by aiohttp's low-level server, until stopped. No rules of what is served."""

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import Callable, Iterable

from aiohttp import HttpVersion10, StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage

from gateway.dialect.message import Response
from gateway.dialect.outcome import Reason, Refusal
from gateway.http.answer import CONTINUE, Answer, serialize
from gateway.http.bind import url_of
from gateway.http.body import read_body, skip_body
from gateway.http.client_address import ClientIp
from gateway.http.connection import Connection, not_http
from gateway.http.connection_limits import ConnectionLimits, Idle
from gateway.http.handler import INTERNAL, Destination, Handler, RequestHead
from gateway.http.head import MAX_HEAD, MAX_HEADERS, NotHttp, closes, declared_length, read_head
from gateway.http.limits import MAX_IGNORED, Budget, Timeouts
from gateway.http.listening.acceptor import HANDSHAKE_SECONDS, Acceptor
from gateway.logs.repeats import Repeats
from gateway.malloc_trim import IdleTrimmer

SHUTDOWN_SECONDS = 20.0
LAST_TURNS = 100  # of the event loop, 1 ms when nothing comes: uvloop accepts one connection in each
SWEEP_SECONDS = 0.5
HANDOVER_SECONDS = 1.0  # more than a client takes from its connection to its request, or to the next one
FAREWELL_SECONDS = 1.0  # in which a client with TLS has to say that it has heard of the end
SETTLE_SECONDS = 0.05
log = logging.getLogger(__name__)


class Server:
    """Serves a handler until stopped.

    `client_ip` tells the client's address from the peer's and what proxies say; `budget` bounds what unfinished bodies
    take together, and `limits` which connections are kept. A body over its destination's limit is refused without
    being buffered.
    """

    def __init__(
        self,
        handler: Handler,
        client_ip: ClientIp,
        timeouts: Timeouts | None = None,
        budget: Budget | None = None,
        limits: ConnectionLimits | None = None,
    ) -> None:
        self._handler = handler
        self._client_ip = client_ip
        self._timeouts = timeouts or Timeouts()
        self._budget = budget or Budget()
        self._limits = limits or ConnectionLimits()
        self._trimmer = IdleTrimmer()
        self._refusals = Repeats(log, "refused")
        self._stopping = False
        self._loop = asyncio.get_running_loop()
        self._aiohttp = web.Server(
            self._answer,  # type: ignore[arg-type]  # it asks no more of a response than Answer has
            request_factory=self._request,
        )
        self._acceptor = Acceptor(self._connect)
        self._handed_over = False
        self._sweeper: asyncio.Task[None] | None = None

    async def start(
        self, *listeners: socket.socket, tls: Callable[[], ssl.SSLContext] | None = None, handed_over: bool = False
    ) -> str:
        """Listen on bound sockets, and return the URL that the first stands for.

        `tls` gives the certificate for the next connection by TCP. Sockets are `handed_over` where somebody else goes
        on listening on them after this server.
        """
        self._handed_over = handed_over
        url = url_of(listeners[0], "http" if tls is None else "https")
        seconds = min(HANDSHAKE_SECONDS, self._timeouts.idle)
        await self._acceptor.start(listeners, tls, handed_over=handed_over, handshake_seconds=seconds)
        self._sweeper = self._loop.create_task(self._sweep())
        return url

    def renew(self, handler: Handler, client_ip: ClientIp, timeouts: Timeouts) -> None:
        """Answer the requests that come from now on in another way; the idle time is that of new connections."""
        self._handler, self._client_ip, self._timeouts = handler, client_ip, timeouts

    async def settled(self) -> None:
        """Wait until the requests that are being answered now are answered: nobody needs the last handler any more."""
        busy = {each: each.answered for each in self.connections() if each.is_busy}
        for connection, answered in busy.items():
            while connection.is_answering(answered):  # noqa: ASYNC110 (no request pays for an event)
                await asyncio.sleep(SETTLE_SECONDS)

    async def stop(self) -> None:
        """Stop listening and finish the requests that were accepted.

        Sockets of its own are read to their end before. Of those that were handed over, what was not accepted is the
        next server's; and each client that was accepted is told with an answer that its connection ends.
        """
        if self._sweeper is None:
            return
        self._stopping = True
        await self._stop_accepting()
        dismissed = [each for each in self.connections() if not each.is_busy]
        for connection in dismissed:
            connection.dismiss()
        impatience = self._loop.call_later(FAREWELL_SECONDS, _abort_silent, dismissed)
        deadline = self._loop.time() + SHUTDOWN_SECONDS
        while (left := self.connections()) and self._loop.time() < deadline:
            for connection in left:
                if connection.is_new:  # it was being accepted
                    connection.dismiss()
            await asyncio.sleep(0.01)
        impatience.cancel()
        self._sweeper.cancel()
        for connection in self.connections():
            connection.abort()
        await asyncio.wait([self._sweeper])
        self._refusals.flush(at_end=True)

    async def _stop_accepting(self) -> None:
        if self._handed_over:
            self._acceptor.close()
        for _ in range(LAST_TURNS):
            await asyncio.sleep(0)  # whatever had been sent by now is read
        self._acceptor.close()
        if self._handed_over:  # a moment for what the clients send next that were accepted
            end = self._loop.time() + HANDOVER_SECONDS
            while self._all() and self._loop.time() < end:  # noqa: ASYNC110 (each looks after itself)
                await asyncio.sleep(0.01)
        for handshake in self._acceptor.handshakes:
            handshake.abort()

    def _connect(self) -> Connection:
        return Connection(
            self._aiohttp,
            self._trimmer,
            self._budget,
            limits=self._limits,
            others=self._all,
            refusals=self._refusals,
            loop=self._loop,
            keepalive_timeout=self._timeouts.idle,
            lingering_time=0,  # Answer does it, and tells the client that nothing more comes
            max_line_size=MAX_HEAD,
            max_field_size=MAX_HEAD,
            max_headers=MAX_HEADERS,
            auto_decompress=False,
            access_log=None,
            logger=log,
        )

    def connections(self) -> list[Connection]:
        """Return the connections that are open."""
        return [each for each in self._aiohttp.connections if isinstance(each, Connection)]

    def _all(self) -> list[Idle]:
        """Return the connections that are open, also those whose handshake is not done."""
        return [*self._acceptor.handshakes, *self.connections()]

    def _request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> web.BaseRequest:
        """Return aiohttp's request, without the host that a target may name.

        aiohttp would decode it: that takes 100 ms for 64 KiB, and where it is no name, the connection is neither
        answered nor closed.
        """
        if not message.path.startswith("/") and message.url.absolute:
            message = message._replace(url=message.url.relative())
        return web.BaseRequest(message, payload, protocol, writer, task, self._loop)

    async def _answer(self, request: web.BaseRequest) -> Answer:
        """Answer one request; never raises but where the client is gone."""
        connection = request.protocol
        assert isinstance(connection, Connection), "made by _connect"
        try:
            head = read_head(request, connection.peer, self._client_ip)
        except NotHttp as problem:
            connection.log_refusal(str(problem))
            return Answer(not_http(), connection, keep_alive=False, linger=True)
        destination = self._handler.route(head)
        peer = self._limits.enter(head.client_ip) if connection.is_proxys else b""
        try:
            if peer is None:
                response = await destination.answer(Refusal(Reason.UNAVAILABLE, retry_after=1))
            else:
                response = await self._respond(connection, request, head, destination)
        except ConnectionError as lost:  # before the body was whole
            lost.with_traceback(None)  # one of its frames refers to the future that raised it: a reference cycle
            return Answer(b"", connection, keep_alive=False)
        finally:
            if peer:
                self._limits.leave(peer)
        is_last = closes(head) or not (request.keep_alive and request.content.is_eof())
        keep_alive = not (is_last or self._stopping or connection.is_last)
        return Answer(self._serialize(request, head, response, keep_alive), connection, keep_alive, linger=is_last)

    async def _respond(
        self, connection: Connection, request: web.BaseRequest, head: RequestHead, destination: Destination
    ) -> Response:
        """Read the request's body, as far as one is wanted, and have it answered."""
        payload, limit = request.content, destination.body_limit
        declared = declared_length(head.headers)
        waits_for_leave = False
        if not payload.is_eof():
            if connection.transport is None:
                raise ConnectionResetError
            waits_for_leave = (
                request.version != HttpVersion10 and head.headers.get("expect", "").lower() == "100-continue"
            )
            if waits_for_leave and limit is not None and (declared is None or declared <= limit):
                connection.transport.write(CONTINUE)
        if limit is None:
            if not (payload.is_eof() or waits_for_leave) and (declared or 0) <= MAX_IGNORED:
                await skip_body(payload, self._timeouts.body)
            return await destination.answer(b"")
        body = await read_body(payload, declared, limit, self._timeouts.body, self._budget)
        return await destination.answer(body)

    def _serialize(self, request: web.BaseRequest, head: RequestHead, response: Response, keep_alive: bool) -> bytes:
        is_1_0 = request.version == HttpVersion10
        common, with_body, seconds = self._handler.cors(head), head.method != "HEAD", int(time.time())
        try:
            return serialize(response, common, seconds, keep_alive=keep_alive, is_1_0=is_1_0, with_body=with_body)
        except ValueError:
            log.exception("a bug answered 500 to a %s", head.method)
            return serialize(INTERNAL, common, seconds, keep_alive=keep_alive, is_1_0=is_1_0, with_body=with_body)

    async def _sweep(self) -> None:
        """Look for clients that take nothing of their answers: a timer for each answer would cost more."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = self._loop.time()
            for connection in self.connections():
                if connection.is_stalled(now, self._timeouts.idle):
                    connection.abort()
            self._refusals.flush()
            self._trimmer.tick()


def _abort_silent(connections: Iterable[Connection]) -> None:
    for each in connections:
        if each.kept_transport is not None and not each.kept_transport.get_write_buffer_size():
            each.abort()
