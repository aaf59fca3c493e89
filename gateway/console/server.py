"""The console on its address: connections within bounds, and the wait for an address that is taken. No pages."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from aiohttp import web

from gateway.console.security import HEADERS
from gateway.http.bind import bind

MAX_CONNECTIONS = 128
IDLE_SECONDS = 30.0  # also for the head of a request
STALLED_SECONDS = 60.0  # in which a client takes nothing of its answer
SWEEP_SECONDS = 5.0
STOP_SECONDS = 2.0
MAX_HEAD = 8190
MAX_HEADERS = 100
log = logging.getLogger(__name__)


class Connection(web.RequestHandler):
    """aiohttp's connection, of which there are so many at most; what is not HTTP gets the console's headers too."""

    __slots__ = ("_manager_of_all", "_unsent", "_unsent_since")

    def __init__(self, server: web.Server, **options: Any) -> None:
        super().__init__(server, **options)
        self._manager_of_all = server
        self._unsent = 0
        self._unsent_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol. Where there are too many, the one that has waited longest without a request goes."""
        open_ones = [each for each in self._manager_of_all.connections if isinstance(each, Connection)]
        super().connection_made(transport)
        if len(open_ones) >= MAX_CONNECTIONS:
            idle = next((each for each in open_ones if each.is_idle), None)
            if idle is not None:
                idle.force_close()
            else:  # only now: aiohttp begins to read a connection before it learns that it is lost
                assert isinstance(transport, asyncio.Transport)
                transport.abort()

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        return self._current_request is None

    def end_if_stalled(self, now: float) -> None:
        """Close if the client has taken nothing of what is written for STALLED_SECONDS; asked at intervals."""
        transport = self.transport
        unsent = 0 if transport is None else transport.get_write_buffer_size()
        if not unsent or unsent != self._unsent:
            self._unsent, self._unsent_since = unsent, now
        elif transport is not None and now - self._unsent_since >= STALLED_SECONDS:
            transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what aiohttp could not read, without its bytes; a status of 500 is a bug of ours.

        Raises ConnectionError, which ends the connection, where the client has gone or has a part of another answer.
        """
        if isinstance(exc, ConnectionError):
            raise exc
        if status >= 500:
            log.error("a bug answered 500", exc_info=exc)
            if request.writer.output_size > 0:
                raise ConnectionResetError
            text = "internal error\n"
        else:
            text = "bad request: this is not HTTP that the console reads\n"
        answer = web.Response(text=text, status=status, headers={**HEADERS, "Cache-Control": "no-store"})
        answer.force_close()
        return answer


@contextlib.asynccontextmanager
async def answering(app: web.Application, listener: socket.socket) -> AsyncIterator[None]:
    """Answer on a bound socket as long as this lasts."""
    loop = asyncio.get_running_loop()
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=STOP_SECONDS)
    await runner.setup()
    manager = runner.server
    assert manager is not None, "made by setup"
    connection = partial(
        Connection,
        manager,
        loop=loop,
        keepalive_timeout=IDLE_SECONDS,
        lingering_time=1.0,
        max_line_size=MAX_HEAD,
        max_field_size=MAX_HEAD,
        max_headers=MAX_HEADERS,
        auto_decompress=False,
        access_log=None,
        logger=log,
    )
    server = await loop.create_server(connection, sock=listener, backlog=MAX_CONNECTIONS)
    sweeper = loop.create_task(_sweep(manager))
    try:
        yield
    finally:
        server.close()
        sweeper.cancel()
        await runner.cleanup()


async def _sweep(manager: web.Server) -> None:
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        for connection in manager.connections:
            if isinstance(connection, Connection):
                connection.end_if_stalled(loop.time())


def listen(host: str, port: int) -> socket.socket:
    """Return a socket bound to the console's address. Raises OSError, in one line that names what to change."""
    try:
        return bind(host, port)
    except OSError as error:
        reason = error.__cause__
        why = (reason.strerror if isinstance(reason, OSError) else None) or "it is no address of this machine"
        raise OSError(f"the console cannot listen on {host} port {port}: {why}") from error
