"""HTTP by aiohttp on one side, the front's plain values on the other; the only importer of aiohttp.web on this path."""

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus

from aiohttp import HttpVersion11, web
from multidict import MultiMapping

from gateway.front import Arrived, Front
from gateway.head import serialize
from gateway.message import Response
from gateway.outcome import Fault, Reason, Refusal
from gateway.routing import Match

MOST_LINE = 32 * 1024  # a pixel's whole event stands in its query
SHUTDOWN_SECONDS = 20.0
BACKLOG = 1024
TEXT = "text/plain; charset=utf-8"
CLOSING = {"Connection": "close"}
log = logging.getLogger("gateway")


ClientIp = Callable[[str | None, MultiMapping[str]], str | None]


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to an address, not listening yet; port 0 picks a free one. Raises OSError."""
    family, kind, protocol, _name, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise OSError(f"cannot listen on {host} port {port}: {error.strerror}; choose another --port") from error
    return listener


class Server:
    """Serves a front on one address until stopped.

    `client_ip` tells the client's address from the peer's and the headers. A body that is not whole after
    `body_timeout` seconds is refused; one that is over its dialect's cap is refused without being buffered. A
    connection on which no request comes for `idle_timeout` seconds is closed.
    """

    def __init__(
        self,
        front: Front,
        client_ip: ClientIp,
        body_timeout: float,
        idle_timeout: float = 75.0,
    ) -> None:
        self._front = front
        self._client_ip = client_ip
        self._body_timeout = body_timeout
        self._idle_timeout = idle_timeout
        self._runner: web.ServerRunner | None = None

    async def start(self, listener: socket.socket) -> str:
        """Listen on a bound socket, and return the URL that it stands for."""
        server = _Server(
            self._handle,
            access_log=None,
            keepalive_timeout=self._idle_timeout,
            auto_decompress=False,
            max_line_size=MOST_LINE,
            max_field_size=MOST_LINE,
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        await web.SockSite(self._runner, listener, backlog=BACKLOG).start()
        host, port = listener.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def stop(self) -> None:
        """Stop listening and finish the requests that were accepted."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        # A plain dictionary: some ten look-ups follow, each of which costs a multidict a case folding.
        headers = {name.lower(): text for name, text in request.headers.items()}
        client_ip = self._client_ip(request.remote, request.headers)
        arrived = Arrived(request.method, path, query, headers, client_ip)
        match = self._front.match(arrived)
        try:
            body = await self._body(request, match)
        except Refusal as refusal:
            assert match is not None, "only a matched request has a body to refuse"
            response = self._front.refuse(arrived, match, refusal)
        else:
            response = await self._front.answer(arrived, match, body)
        return _Answer(response, self._front.cors(arrived))

    async def _body(self, request: web.BaseRequest, match: Match | None) -> bytes:
        """Return the wire body of a request to an endpoint; of any other it is left to aiohttp to discard."""
        if match is None or match.endpoint is None or not request.can_read_body:
            return b""
        cap = match.installed.dialect.body_cap
        if (request.content_length or 0) > cap:
            raise Refusal(Reason.TOO_LARGE, detail={"limit": cap})
        if request.content.is_eof():  # a small body came with its head: the common case needs no timer
            body = request.content.read_nowait()
        else:
            if request.headers.get("expect", "").lower() == "100-continue":
                await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = await self._read(request, cap)
        if len(body) > cap:
            raise Refusal(Reason.TOO_LARGE, detail={"limit": cap})
        return body

    async def _read(self, request: web.BaseRequest, cap: int) -> bytes:
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._body_timeout):
                while size <= cap and (chunk := await request.content.readany()):
                    chunks.append(chunk)
                    size += len(chunk)
        except TimeoutError:
            raise Refusal(Reason.TIMEOUT) from None
        except web.RequestPayloadError:
            raise Refusal(Reason.BODY, faults=(Fault("malformed_encoding"),)) from None
        return b"".join(chunks)


class _Protocol(web.RequestHandler):
    """aiohttp's, but for what it says of what is not HTTP: its own repeats the client's bytes, credentials included."""

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Return the answer to what could not be handled; only a fault of ours leaves a traceback."""
        self.keep_alive(False)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("a bug answered %s", status, exc_info=exc)
            return _Answer(Response(status, b"internal error\n", TEXT, CLOSING), {})
        log.info("refused what is not HTTP, from %s", request.remote)
        return _Answer(Response(status, b"bad request: this is not HTTP that the gateway reads\n", TEXT, CLOSING), {})


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Protocol(self, loop=self._loop, **self._kwargs)


class _Answer(web.StreamResponse):
    """A response that writes itself whole, in one call: aiohttp's own assembling is a third of what it does at all."""

    def __init__(self, response: Response, cors: Mapping[str, str]) -> None:
        super().__init__(status=response.status)
        self._response = response
        self._cors = cors

    async def prepare(self, request: web.BaseRequest) -> None:
        """Write head and body. Raises ConnectionError where nobody listens any more."""
        transport = request.transport
        if transport is None:
            raise ConnectionResetError
        self._keep_alive = request.keep_alive and self._response.headers.get("Connection") != "close"
        connection = None if request.keep_alive else "close"
        if request.keep_alive and request.version < HttpVersion11:
            connection = "keep-alive"
        with_body = request.method != "HEAD"
        transport.write(serialize(self._response, self._cors, int(time.time()), connection, with_body))

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: all is written."""
