"""Accepts connections on all the sockets of one server, with TLS or without. What follows is a Connection's."""

import asyncio
import socket
import ssl
import sys
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Protocol

from gateway.http.connection import Connection
from gateway.http.listening.tls_listener import Handshake, TlsListener

BACKLOG = 1024
LONG_BACKLOG = 4096  # of sockets that outlive a server: what comes while none runs waits there
HANDSHAKE_SECONDS = 10.0
# The name of a socket is removed by who has made it, which for one that was handed over is not this process.
_KEEPS_NAME: Any = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}


class _Closing(Protocol):
    def close(self) -> object: ...


class Acceptor:
    """Accepts until it is closed; `connect` makes a Connection for each client."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._accepting: list[_Closing] = []

    async def start(
        self,
        listeners: Sequence[socket.socket],
        tls: Callable[[], ssl.SSLContext] | None,
        *,
        handed_over: bool = False,
        handshake_seconds: float = HANDSHAKE_SECONDS,
    ) -> None:
        """Listen on bound sockets. `tls` gives the certificate for the next connection; Unix sockets have none."""
        loop, backlog = asyncio.get_running_loop(), LONG_BACKLOG if handed_over else BACKLOG
        for each in listeners:
            if each.family == socket.AF_UNIX:
                server = await loop.create_unix_server(self._connect, sock=each, backlog=backlog, **_KEEPS_NAME)
                self._accepting.append(server)
            elif tls is None:
                self._accepting.append(await loop.create_server(self._connect, sock=each, backlog=backlog))
            else:
                secured = TlsListener(each, tls, self._connect, handshake_seconds)
                secured.start(backlog)
                self._accepting.append(secured)

    @property
    def handshakes(self) -> list[Handshake]:
        """The connections whose TLS handshake is not done."""
        return list(chain.from_iterable(each.handshakes for each in self._accepting if isinstance(each, TlsListener)))

    def close(self) -> None:
        """Accept no more. Handshakes go on."""
        for each in self._accepting:
            each.close()
