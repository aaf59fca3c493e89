"""Accepts connections on one socket and has their TLS handshakes done, within bounds. What follows is a Connection's.

A server of asyncio's tells nothing of a connection before its handshake is done. Here it counts from the moment when it
is accepted: against the limits of connections, and as one that can be closed when descriptors run out.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from functools import partial

import attrs

from gateway.http.client_address import peer_of
from gateway.http.connection import Connection
from gateway.http.limits import LINGER_SECONDS, MAX_SLICE

SHORT_SECONDS = 1.0  # until the next try where the system has no descriptor or memory left


@attrs.define(eq=False)
class Handshake:
    """A connection whose handshake is not done; see connection_limits.Idle."""

    peer: str | None
    task: asyncio.Task[None] | None = None
    is_busy: bool = False

    def abort(self) -> None:
        """Close at once."""
        if self.task is not None:
            self.task.cancel()


class TlsListener:
    """Accepts on a bound socket until it is closed, with the certificate that `context` gives at that moment.

    `connect` makes a Connection. `handshakes` are those in progress, the oldest first; each may take `seconds`.
    """

    def __init__(
        self,
        listener: socket.socket,
        context: Callable[[], ssl.SSLContext],
        connect: Callable[[], Connection],
        seconds: float,
    ) -> None:
        self.handshakes: dict[Handshake, None] = {}
        self._listener = listener
        self._context = context
        self._connect = connect
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()

    def start(self, backlog: int) -> None:
        """Listen."""
        self._listener.setblocking(False)
        self._listener.listen(backlog)
        self._loop.add_reader(self._listener.fileno(), self._accept)

    def close(self) -> None:
        """Accept no more. Handshakes go on."""
        if self._listener.fileno() >= 0:
            self._loop.remove_reader(self._listener.fileno())
            self._listener.close()

    def _accept(self) -> None:
        """Accept one connection. Another one has to wait for the event loop's next turn, as it does without TLS.

        What has to make room is closed in the meantime. Were many accepted at once, they would take more descriptors
        than the one closing gives back, until none is left for anybody.
        """
        try:
            accepted, name = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError:
            self._loop.remove_reader(self._listener.fileno())
            self._loop.call_later(SHORT_SECONDS, self._go_on)
            return
        connection = self._connect()
        if not connection.admit(accepted, name):
            accepted.close()
            return
        handshake = Handshake(peer_of(name))
        self.handshakes[handshake] = None
        handshake.task = self._loop.create_task(self._shake_hands(accepted, connection))
        handshake.task.add_done_callback(partial(self._done, handshake, accepted, connection))

    def _go_on(self) -> None:
        if self._listener.fileno() >= 0:
            self._loop.add_reader(self._listener.fileno(), self._accept)

    async def _shake_hands(self, accepted: socket.socket, connection: Connection) -> None:
        try:
            transport, _ = await self._loop.connect_accepted_socket(
                lambda: connection,
                accepted,
                ssl=self._context(),
                ssl_handshake_timeout=self._seconds,
                ssl_shutdown_timeout=LINGER_SECONDS,
            )
        except OSError:  # it is no TLS, or no TLS that we speak, or the client is gone or too slow
            return
        if connection.kept_transport is not None:  # what the client sends ahead waits in the kernel
            transport.set_read_buffer_limits(MAX_SLICE)  # type: ignore[attr-defined]  # of TLS transports alone

    def _done(
        self, handshake: Handshake, accepted: socket.socket, connection: Connection, _task: asyncio.Task[None]
    ) -> None:
        """Forget a handshake that is done, and where it has led to no connection, the connection."""
        del self.handshakes[handshake]
        if connection.kept_transport is None:
            accepted.close()
            connection.let_go()
