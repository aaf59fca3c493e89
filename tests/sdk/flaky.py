"""A proxy in front of a gateway that fails a client in the ways networks do, then lets it through."""

import contextlib
import enum
import threading
from collections import deque
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import attrs


class Fate(enum.Enum):
    """What becomes of one request."""

    DOWN = "the connection drops before the gateway sees the request"
    UNAVAILABLE = "the proxy answers 503 by itself, without CORS"
    UNANSWERED = "the gateway stores and answers, the client never hears it"


@attrs.define
class Flaky:
    """The proxy's address, what awaits the next requests, and how many came; preflights always pass."""

    url: str
    gateway: str
    fates: deque[Fate] = attrs.field(factory=deque)
    tries: int = 0

    def fail(self, *fates: Fate) -> None:
        self.fates.extend(fates)
        self.tries = 0


class _Handler(BaseHTTPRequestHandler):
    """`flaky` is set on a subclass, one a proxy."""

    protocol_version = "HTTP/1.1"
    flaky: Flaky

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.flaky.tries += 1
        fate = self.flaky.fates.popleft() if self.flaky.fates else None
        if fate is Fate.UNAVAILABLE:
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif fate is Fate.DOWN:
            self.close_connection = True
        else:
            self._forward(body, answered=fate is None)

    def do_OPTIONS(self) -> None:
        self._forward(b"", answered=True)

    def _forward(self, body: bytes, answered: bool) -> None:
        with contextlib.closing(HTTPConnection(urlsplit(self.flaky.gateway).netloc, timeout=10)) as connection:
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
        if not answered:
            assert answer.status < 300, content
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextlib.contextmanager
def failing(gateway: str) -> Iterator[Flaky]:
    """Run such a proxy on a free port of loopback."""
    flaky = Flaky("", gateway)
    handler = type("Handler", (_Handler,), {"flaky": flaky})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        flaky.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield flaky
        finally:
            server.shutdown()
            thread.join()
