"""The rules at the front door, the same for every dialect: CORS, preflights, inflating, unknown paths. No sockets."""

import logging
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from gateway.auth import Keyring
from gateway.dialect import Fixed
from gateway.inflate import inflate
from gateway.message import Request, Response
from gateway.outcome import Reason, Refusal
from gateway.own import Own
from gateway.pipeline import Pipeline
from gateway.record import record
from gateway.routing import Match, Router

EXPOSED = (
    "Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Idempotency-Replayed, X-Gateway-Receipt"
)
METHODS = "GET, POST, OPTIONS"
ALLOWED = ("authorization", "content-type", "idempotency-key")
PREFLIGHT_SECONDS = "86400"
VARY = "Vary: Origin\r\n"
CREDENTIALED = f"Access-Control-Allow-Credentials: true\r\nAccess-Control-Expose-Headers: {EXPOSED}\r\n{VARY}"
INTERNAL = Response(500, b"internal error\n", "text/plain; charset=utf-8")
log = logging.getLogger("gateway")


@record
class Arrived:
    """One request off the wire: its target split at the `?`, headers by lower-case name, the client's address."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    client_ip: str | None = None


class Front:
    """Answers requests for every dialect; `clock` gives milliseconds since the epoch, read once a request."""

    def __init__(
        self, router: Router, pipeline: Pipeline, own: Own, clock: Callable[[], int], headers: tuple[str, ...]
    ) -> None:
        self._own = own
        self._router = router
        self._pipeline = pipeline
        self._clock = clock
        self._allowed = ", ".join(dict.fromkeys((*ALLOWED, *headers)))

    def renew(self, keyring: Keyring) -> None:
        """Check requests against another snapshot of the credentials from now on."""
        self._pipeline.gate.keyring = keyring

    def match(self, arrived: Arrived) -> Match | None:
        """Return where a request belongs; the body is read only when there is an endpoint for it."""
        if self._own.owns(arrived.path):
            return None
        return self._router.match(arrived.headers.get("host", ""), arrived.method, arrived.path)

    async def answer(self, arrived: Arrived, match: Match | None, body: bytes | Refusal) -> Response:
        """Return the answer to a request, its body within the cap or why it is not; it never raises."""
        try:
            if match is None or match.endpoint is None or arrived.method == "OPTIONS":
                return self._other(arrived, match)
            endpoint = match.endpoint
            request = self._read(arrived, match, body)
            if isinstance(request, Response):
                return request
            if isinstance(endpoint, Fixed):
                return endpoint.answer(request)
            return await self._pipeline.ingest(match.installed, endpoint, request)
        except Exception:
            log.exception("a bug answered 500 to a %s", arrived.method)
            return INTERNAL

    def _read(self, arrived: Arrived, match: Match, body: bytes | Refusal) -> Request | Response:
        """Return a request with its body inflated, or the answer to one whose body is refused."""
        try:
            if isinstance(body, Refusal):
                raise body
            encoding = arrived.headers.get("content-encoding")
            if encoding:
                body = inflate(body, encoding, match.installed.dialect.body_cap)
        except Refusal as refusal:
            return self._refuse(arrived, match, refusal)
        return self._request(arrived, match, body)

    def _other(self, arrived: Arrived, match: Match | None) -> Response:
        """Return the answer to what is no vendor's request."""
        if arrived.method == "OPTIONS":
            return self._preflight(arrived)
        if match is None:
            return self._own.answer(arrived.method, arrived.path, arrived.headers)
        if match.path == "/" and arrived.method in ("GET", "HEAD"):
            return self._own.greeting()
        return self._refuse(arrived, match, _unmatched(match))

    def _refuse(self, arrived: Arrived, match: Match, refusal: Refusal) -> Response:
        """Return the answer to a request that did not reach its route's parse."""
        route = None if isinstance(match.endpoint, Fixed) else match.endpoint
        return self._pipeline.refuse(match.installed, self._request(arrived, match, b""), refusal, route)

    def cors(self, arrived: Arrived) -> str:
        """Return every answer's CORS header lines: the Origin itself, since `*` makes browsers drop JSON beacons."""
        origin = arrived.headers.get("origin")
        if origin is None or "\n" in origin or "\r" in origin:
            return VARY
        return f"Access-Control-Allow-Origin: {origin}\r\n{CREDENTIALED}"

    def _preflight(self, arrived: Arrived) -> Response:
        headers = {"Allow": METHODS}
        if "origin" in arrived.headers:
            headers["Access-Control-Allow-Methods"] = METHODS
            headers["Access-Control-Allow-Headers"] = self._allowed
            headers["Access-Control-Max-Age"] = PREFLIGHT_SECONDS
        return Response(204, headers=headers)

    def _request(self, arrived: Arrived, match: Match, body: bytes) -> Request:
        query: dict[str, str] = {}
        if arrived.query:
            for name, value in parse_qsl(arrived.query, keep_blank_values=True):
                query.setdefault(name, value)
        return Request(arrived.method, match.path, query, arrived.headers, body, self._clock(), arrived.client_ip)


def _unmatched(match: Match) -> Refusal:
    if not match.allowed:
        return Refusal(Reason.NOT_FOUND)
    return Refusal(Reason.METHOD_NOT_ALLOWED, detail={"allowed": ", ".join((*match.allowed, "OPTIONS"))})
