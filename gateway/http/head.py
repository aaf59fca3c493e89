"""The head of a request: aiohttp's to ours, and the rules of HTTP that aiohttp leaves open. Pure."""

from collections.abc import Mapping

from aiohttp import HttpVersion10, HttpVersion11, web

from gateway.http.client_address import ClientIp
from gateway.http.handler import RequestHead

MAX_HEAD = 64 * 1024  # bytes of a request's line and headers: a pixel's whole event stands in its query
MAX_HEADERS = 256
# What RFC 3986 lets stand in a host and port: names, IPv4, IPv6 in brackets, percent-encoded octets.
_HOST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+,;=:[]")


class NotHttp(Exception):
    """A head that breaks a rule of HTTP; the message says which, for the log. It never repeats the client's bytes."""


def read_head(request: web.BaseRequest, peer: str | None, client_ip: ClientIp) -> RequestHead:
    """Return a request's head. Raises NotHttp.

    A header that stands there twice is one list (RFC 9110, 5.3). Checked are: the version, one well-formed Host
    (RFC 9112, 3.2), no transfer coding but `chunked` (6.1), and the size of it all.
    """
    headers: dict[str, str] = {}
    target = request.raw_path
    size = len(target)
    hosts = 0
    for raw_name, raw_value in request.raw_headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("utf-8", "surrogateescape")
        size += len(name) + len(value)
        if name in headers:
            value = f"{headers[name]}, {value}"
        headers[name] = value
        hosts += name == "host"
    if size > MAX_HEAD:
        raise NotHttp("its head is larger than 64 KiB")
    version = request.version
    if version != HttpVersion11 and version != HttpVersion10:
        raise NotHttp("it is not HTTP/1.0 or HTTP/1.1")
    if hosts != 1 and (hosts or version == HttpVersion11):
        raise NotHttp("it has no Host, or more than one")
    if not _HOST.issuperset(headers.get("host", "")):
        raise NotHttp("its Host is malformed")
    if "transfer-encoding" in headers and headers["transfer-encoding"].lower() != "chunked":
        raise NotHttp("its transfer coding is not chunked")
    path, query = _split(target)
    address = client_ip(peer, headers)
    return RequestHead(method=request.method, path=path, query=query, headers=headers, client_ip=address)


def declared_length(headers: Mapping[str, str]) -> int | None:
    """Return a Content-Length that aiohttp's parser has found to be a number of at most 64 bits, if there is one.

    Python reads no more than 4,300 digits, and a client may write any number of zeros before its number.
    """
    length = headers.get("content-length")
    return None if length is None else int(length[-20:])


def closes(head: RequestHead) -> bool:
    """Return whether nothing behind a request may be read, on the same connection.

    aiohttp's compiled parser (3.11 to 3.14) carries a chunked body's last trailer into the next request's headers. What
    comes behind a request for another protocol may be in that protocol.
    """
    return "transfer-encoding" in head.headers or "upgrade" in head.headers or head.method == "CONNECT"


def _split(target: str) -> tuple[str, str]:
    """Return a target's path and query; of an absolute one, as proxies get it, what comes after the host."""
    if not target.startswith("/"):
        _, scheme, rest = target.partition("://")
        target = "/" + rest.partition("/")[2] if scheme else target
    path, _, query = target.partition("?")
    return path, query
