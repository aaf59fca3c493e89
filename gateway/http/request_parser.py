"""Bytes off one connection to requests: HTTP/1.1 by httptools, bodies under their caps. Answers nothing itself."""

import logging
from typing import Protocol

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpRequestParser

from gateway.dialect.message import Response
from gateway.dialect.outcome import Fault, Reason, Refusal
from gateway.dialect.value_class import value_class
from gateway.http.client_address import ClientIp
from gateway.http.handler import INTERNAL, Destination, RequestHead
from gateway.http.response import CLOSE, KEEP, KEEP_1_0

MAX_HEAD = 64 * 1024  # bytes of a request's line and headers: a pixel's whole event stands in its query
MAX_IGNORED = 64 * 1024  # bytes of a body that nobody asked for, read so that the connection can be kept
NOT_HTTP = Response(400, b"bad request: this is not HTTP that the gateway reads\n", "text/plain; charset=utf-8")
NOBODY = RequestHead("", "", "", {})
log = logging.getLogger(__name__)


@value_class
class ParsedRequest:
    """One request to answer: with a body that is whole, a refusal, or an answer that is made already.

    `connection` is what the answer says of the connection. With CLOSE it is the last one; where it is not `whole`, more
    of it may still come.
    """

    head: RequestHead
    destination: Destination | None
    body: bytes | Refusal | Response
    connection: str = CLOSE
    whole: bool = False


class Listener(Protocol):
    """Who is told what was read."""

    def route(self, head: RequestHead) -> Destination:
        """Return where a request goes, once its head is there."""
        ...

    def take(self, request: ParsedRequest) -> None:
        """Take over a request."""
        ...

    def expected(self) -> None:
        """Tell the client to go on with its body: it waits for that."""
        ...


class RequestParser:
    """Reads the requests of one connection, until one is the last: then it is `deaf`.

    `is_in_body` says that a request's head was read and its body is not whole; `peer` is who is at the other end.
    """

    def __init__(self, listener: Listener, client_ip: ClientIp) -> None:
        self.input_closed = False
        self.peer: str | None = None
        self._listener = listener
        self._client_ip = client_ip
        self._parser = HttpRequestParser(self)
        self._again = b""
        self._target = b""
        self._headers: dict[str, str] = {}
        self._long = 0
        self._head: tuple[RequestHead, Destination] | None = None
        self._chunks: list[bytes] = []
        self._room = 0

    @property
    def is_in_body(self) -> bool:
        """Whether a body is waited for."""
        return self._head is not None

    def feed(self, data: bytes) -> None:
        """Read on."""
        while data and not self.input_closed:
            unfinished = bool(self._target)
            self._long = self._long + len(data) if unfinished else 0
            try:
                self._parser.feed_data(data)
                if unfinished and self._target and self._long > MAX_HEAD:
                    raise _Unreadable
            except HttpParserUpgrade as upgrade:
                # The parser takes all behind such a head, the body too, for another protocol's.
                self._parser, data = HttpRequestParser(self), self._again + data[upgrade.args[0] :]
                self._again = b""
                continue
            except (HttpParserError, _Unreadable) as error:
                self._give_up(error)
            return

    def refuse(self, refusal: Refusal) -> None:
        """Hand on what was read of a request as one that is refused, the last of its connection."""
        assert self._head is not None, "only a request whose head was read is refused"
        head, destination = self._head
        self._end(ParsedRequest(head, destination, b"" if destination.body_limit is None else refusal))

    # What httptools calls.

    def on_url(self, url: bytes) -> None:
        """Take in a piece of the request's target."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take in a header; of one that stands there twice the values are one list (RFC 9110, 5.2)."""
        key, text, headers = name.decode("latin-1").lower(), value.decode("utf-8", "surrogateescape"), self._headers
        headers[key] = f"{headers[key]}, {text}" if key in headers else text

    def on_headers_complete(self) -> None:
        """Find out where the request belongs, and refuse a body that says itself that it is too large."""
        if self.input_closed or self._head is not None:  # the latter: trailers behind a chunked body
            return
        headers, target = self._headers, self._target
        if self._long and _size(target, headers) > MAX_HEAD:
            raise _Unreadable
        method = self._parser.get_method()
        self._target, self._headers, self._long = b"", {}, 0
        if "upgrade" in headers and method != b"CONNECT" and self._parser.should_upgrade():
            # Asked for, not demanded: it is read once more, without the asking.
            self._again = _head(method, target, {**headers, "connection": "keep-alive"})
            return
        path, query = _split(target)
        client_ip = self._client_ip(self.peer, headers.get("x-forwarded-for"))
        head = RequestHead(method.decode("ascii"), path, query, headers, client_ip)
        destination = self._listener.route(head)
        self._head = (head, destination)
        limit = destination.body_limit
        self._room = MAX_IGNORED if limit is None else limit
        if int(headers.get("content-length") or 0) > self._room:
            self._refuse_large()
        elif "expect" in headers and headers["expect"].lower() == "100-continue":
            self._listener.expected()

    def on_body(self, data: bytes) -> None:
        """Take in a piece of the body, unless it has become too large."""
        if self._head is None:
            return
        self._room -= len(data)
        if self._room < 0:
            self._refuse_large()
        else:
            self._chunks.append(data)

    def on_message_complete(self) -> None:
        """Hand the request on."""
        if self._head is None:
            return
        (head, destination), chunks = self._head, self._chunks
        body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        self._head, self._chunks = None, []
        connection = CLOSE
        if self._parser.should_keep_alive():
            is_1_0 = "connection" in head.headers and self._parser.get_http_version() == "1.0"
            connection = KEEP_1_0 if is_1_0 else KEEP
        else:
            self.input_closed = True
        self._listener.take(ParsedRequest(head, destination, body, connection, whole=True))

    def _refuse_large(self) -> None:
        assert self._head is not None, "only the body of a request whose head was read is weighed"
        _, destination = self._head
        self.refuse(Refusal(Reason.TOO_LARGE, detail={"limit": destination.body_limit or 0}))

    def _give_up(self, error: Exception) -> None:
        """Hand on what is not HTTP: its answer never repeats the client's bytes, credentials included."""
        if isinstance(error, HttpParserCallbackError) and not isinstance(error.__context__, _Unreadable):
            log.error("a bug answered 500", exc_info=error.__context__)
            self._end(ParsedRequest(NOBODY, None, INTERNAL))
        elif self._head is not None:
            self.refuse(Refusal(Reason.BODY, faults=(Fault("malformed_encoding"),)))
        else:
            log.info("refused what is not HTTP, from %s", self.peer)
            self._end(ParsedRequest(NOBODY, None, NOT_HTTP))

    def _end(self, last: ParsedRequest) -> None:
        self._head, self._chunks, self.input_closed = None, [], True
        self._listener.take(last)


class _Unreadable(Exception):
    """A head that is larger than any that we read."""


def _split(target: bytes) -> tuple[str, str]:
    """Return a target's path and query; of one that names a host too, as proxies are asked, what comes behind it."""
    text = target.decode("utf-8", "surrogateescape")
    if not text.startswith("/"):
        _, scheme, rest = text.partition("://")
        text = "/" + rest.partition("/")[2] if scheme else text
    path, _, query = text.partition("?")
    return path, query


def _head(method: bytes, target: bytes, headers: dict[str, str]) -> bytes:
    lines = "".join([f"{name}: {text}\r\n" for name, text in headers.items()])
    return b"%b %b HTTP/1.1\r\n%b\r\n" % (method, target, lines.encode("utf-8", "surrogateescape"))


def _size(target: bytes, headers: dict[str, str]) -> int:
    return len(target) + sum(len(name) + len(text) for name, text in headers.items())
