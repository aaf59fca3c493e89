"""Listens on an address, gives up on clients in time, and stops without leaving one unanswered. No HTTP here."""

import asyncio
import socket

from gateway.http.client_address import ClientIp
from gateway.http.connection import Connection, ServerState
from gateway.http.handler import Handler

SHUTDOWN_SECONDS = 20.0
SWEEP_SECONDS = 0.25
BACKLOG = 1024


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
    """Serves a handler on one address until stopped.

    `client_ip` tells the client's address from the peer's and what proxies say. A body that is not whole after
    `body_timeout` seconds is refused; one that is over its dialect's cap is refused without being buffered. A
    connection on which no request comes for `idle_timeout` seconds is closed.
    """

    def __init__(
        self,
        handler: Handler,
        client_ip: ClientIp,
        body_timeout: float,
        idle_timeout: float = 75.0,
    ) -> None:
        self._state = ServerState(handler, client_ip, body_timeout, idle_timeout, asyncio.get_running_loop().time)
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self, listener: socket.socket) -> str:
        """Listen on a bound socket, and return the URL that it stands for."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self._state), sock=listener, backlog=BACKLOG)
        self._sweeper = loop.create_task(self._sweep())
        host, port = listener.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def stop(self) -> None:
        """Stop listening and finish the requests that were accepted."""
        if self._server is None or self._sweeper is None:
            return
        state = self._state
        self._server.close()
        state.stopping = True
        for connection in tuple(state.connections):
            connection.finish()
        deadline = state.now() + SHUTDOWN_SECONDS
        while state.connections and state.now() < deadline:  # noqa: ASYNC110 - each goes by itself, nobody tells
            await asyncio.sleep(0.01)
        self._sweeper.cancel()
        for connection in tuple(state.connections):
            connection.abort()
        await asyncio.wait([self._sweeper])

    async def _sweep(self) -> None:
        """Look all clients over now and then: a timer for each request would cost more than the looking."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = self._state.now()
            for connection in [each for each in self._state.connections if each.expires < now]:
                connection.expire()
            self._state.trimmer.tick()
