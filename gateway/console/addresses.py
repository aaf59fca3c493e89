"""Under which names the console may be asked for, and whether a request came by https. Pure, but for the request."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from aiohttp import web

from gateway.config import Config
from gateway.http.client_address import Network, parse_address
from gateway.keys.origins import host_of

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def allowed_hosts(config: Config) -> frozenset[str]:
    """Return the host names under which browsers may ask: any other may be a stranger's that points here.

    Loopback, the address that the console listens on, that of `server.public_url`, and `server.console_hosts`.
    """
    server = config.server
    listening = server.console_address
    named = [*LOOPBACK, *server.console_hosts]
    if listening is not None:
        named.append(f"[{listening[0]}]" if ":" in listening[0] else listening[0])
    if server.public_url is not None:
        named.append(server.public_url)
    return frozenset(host_of(each) for each in named)


def is_allowed(request: web.Request, hosts: frozenset[str]) -> bool:
    """Return whether a request names one of these hosts, or by its number the address that it came to."""
    try:
        host = host_of(request.headers.get("Host", ""))
    except ValueError:
        return False
    if host in hosts:
        return True
    transport = request.transport
    own = None if transport is None else transport.get_extra_info("sockname")
    address = parse_address(own[0]) if isinstance(own, tuple) and own else None
    return address is not None and parse_address(host) == address


def is_https(request: web.Request, trusted: Iterable[Network]) -> bool:
    """Return whether the browser came by https: here, or to a trusted proxy that says so."""
    if request.secure:
        return True
    peer = parse_address(request.remote or "")
    if peer is None or not any(peer in network for network in trusted):
        return False
    return request.headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip().lower() == "https"


def is_own(request: web.Request) -> bool:
    """Return whether a change was asked for by a page of the console, as far as the browser tells.

    Browsers say so themselves, or name the page's origin. It is `null` for our own forms: their pages send no referrer.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin", "null")
    return origin == "null" or urlsplit(origin).netloc == request.headers.get("Host")
