"""CORS, the same for every dialect: what each answer says, and what a preflight is told. Pure."""

from collections.abc import Iterable

from gateway.dialect.message import Response
from gateway.http.handler import RequestHead

METHODS = ("GET", "POST", "OPTIONS")
MAX_ASKED = 4096
"""How many characters a page's list of header names may have; a longer one is not granted."""
ALLOWED = ("authorization", "content-type", "idempotency-key")
EXPOSED = (
    *("Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"),
    *("Idempotency-Replayed", "X-Gateway-Receipt"),
)
PREFLIGHT_SECONDS = "86400"
VARY = "Vary: Origin\r\n"
PREFLIGHT_VARY = "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\r\n"
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def allowed_headers(own: Iterable[str]) -> str:
    """Return the value of Access-Control-Allow-Headers: the gateway's own, then the dialects'."""
    return ", ".join(dict.fromkeys((*ALLOWED, *own)))


def exposed_headers(own: Iterable[str]) -> str:
    """Return the value of Access-Control-Expose-Headers: the gateway's own, then the dialects', each once."""
    return ", ".join(dict.fromkeys((*EXPOSED, *own)))


def lines(head: RequestHead, exposed: str) -> str:
    """Return the CORS header lines of an answer, each with its line end; `exposed` are headers that any page may read.

    They repeat the request's Origin: with `*` instead, browsers drop beacons that carry JSON.
    """
    vary = VARY if head.method != "OPTIONS" else PREFLIGHT_VARY
    origin = head.headers.get("origin")
    if origin is None or "\n" in origin or "\r" in origin:
        return vary
    return (
        f"Access-Control-Allow-Origin: {origin}\r\nAccess-Control-Allow-Credentials: true\r\n"
        f"Access-Control-Expose-Headers: {exposed}\r\n{vary}"
    )


def preflight(head: RequestHead, usual: str, methods: Iterable[str]) -> Response:
    """Return the answer to an OPTIONS request.

    `usual` are the header names that any page may send. Those that the page asks for are granted too: tracing libraries
    and proxies add names of their own, and a browser sends nothing if one is missing. `methods` are the path's.
    """
    own = tuple(methods)
    headers = {"Allow": ", ".join((*own, "OPTIONS") if own else METHODS)}
    if "origin" in head.headers:
        known = frozenset(usual.split(", "))
        asked = asked_headers(head.headers.get("access-control-request-headers", ""))
        missing = [name for name in asked if name.lower() not in known]
        headers["Access-Control-Allow-Methods"] = ", ".join(dict.fromkeys((*METHODS, *own)))
        headers["Access-Control-Allow-Headers"] = ", ".join((usual, *missing))
        headers["Access-Control-Max-Age"] = PREFLIGHT_SECONDS
    return Response(204, headers=headers)


def asked_headers(value: str) -> tuple[str, ...]:
    """Return the names in a list of header names, each once; none if the list is malformed or too long.

    `"baggage, ,Sentry-Trace"` gives `("baggage", "Sentry-Trace")`.
    """
    if len(value) > MAX_ASKED:
        return ()
    names = dict.fromkeys([name for part in value.split(",") if (name := part.strip(" \t"))])
    return tuple(names) if all(_TOKEN.issuperset(name) for name in names) else ()


def is_preflight(head: RequestHead) -> bool:
    """Return whether a request is a browser's question before a request of its page."""
    return head.method == "OPTIONS" and "origin" in head.headers and "access-control-request-method" in head.headers
