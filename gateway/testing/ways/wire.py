"""Sends requests to a Unix socket, byte for byte, and reads the answers.

The standard library's client sends header bytes that are not UTF-8, which aiohttp's drops. A Unix socket's peer has no
address, so that a request has one only where a case says so.
"""

import contextlib
import http.client
import socket
from collections.abc import Iterable
from pathlib import Path

from gateway.testing.corpus.message import Answer, SentRequest

PATIENCE = 30  # seconds for an answer


class UnixConnection(http.client.HTTPConnection):
    """A connection to a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(str(self._path))


def send(path: Path, prefix: str, requests: Iterable[SentRequest]) -> list[Answer]:
    """Send requests over one connection, to their paths below a prefix, and return the answers. Blocks."""
    with contextlib.closing(UnixConnection(path)) as connection:
        return [_sent(connection, prefix, request) for request in requests]


def _sent(connection: http.client.HTTPConnection, prefix: str, request: SentRequest) -> Answer:
    connection.putrequest(
        request.method,
        prefix + request.target,
        skip_host="host" in {name.lower() for name in request.headers},
        skip_accept_encoding=True,
    )
    for name, value in request.headers.items():
        connection.putheader(name, value.encode("utf-8", "surrogateescape"))
    if request.client_ip is not None:
        connection.putheader("X-Forwarded-For", request.client_ip)
    connection.putheader("Content-Length", str(len(request.body)))
    connection.endheaders(request.body)
    response = connection.getresponse()
    return Answer(response.status, dict(response.getheaders()), response.read())
