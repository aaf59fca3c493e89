"""CORS, the same for every dialect: what each answer says, and what a preflight is told. Pure."""

from collections.abc import Iterable

from gateway.dialect.message import Response
from gateway.http.handler import RequestHead

METHODS = "GET, POST, OPTIONS"
ALLOWED = ("authorization", "content-type", "idempotency-key")
EXPOSED = (
    "Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Idempotency-Replayed, X-Gateway-Receipt"
)
PREFLIGHT_SECONDS = "86400"
VARY = "Vary: Origin\r\n"
CREDENTIALED = f"Access-Control-Allow-Credentials: true\r\nAccess-Control-Expose-Headers: {EXPOSED}\r\n{VARY}"


def allowed_headers(own: Iterable[str]) -> str:
    """Return the value of Access-Control-Allow-Headers: the gateway's own, then the dialects'."""
    return ", ".join(dict.fromkeys((*ALLOWED, *own)))


def lines(head: RequestHead) -> str:
    """Return the CORS header lines of an answer, each with its line end.

    They repeat the request's Origin: with `*` instead, browsers drop beacons that carry JSON.
    """
    origin = head.headers.get("origin")
    if origin is None or "\n" in origin or "\r" in origin:
        return VARY
    return f"Access-Control-Allow-Origin: {origin}\r\n{CREDENTIALED}"


def preflight(head: RequestHead, allowed: str) -> Response:
    """Return the answer to an OPTIONS request; `allowed` are the headers that a page may send."""
    headers = {"Allow": METHODS}
    if "origin" in head.headers:
        headers["Access-Control-Allow-Methods"] = METHODS
        headers["Access-Control-Allow-Headers"] = allowed
        headers["Access-Control-Max-Age"] = PREFLIGHT_SECONDS
    return Response(204, headers=headers)
