"""The Handler of ingestion: what is the same for every dialect before and around its own code. No sockets.

Routing, preflights, inflating, unknown paths. The clock is read here, once a request.
"""

import logging
from collections.abc import Callable

import attrs

from gateway.dialect.contract import Route, StaticRoute
from gateway.dialect.message import Request, Response
from gateway.dialect.outcome import Reason, Refusal
from gateway.http.decompress import decompress
from gateway.http.handler import INTERNAL, RequestHead
from gateway.http.query import parse_query
from gateway.ingest import cors
from gateway.ingest.endpoints import GatewayEndpoints
from gateway.ingest.pipeline import Pipeline
from gateway.ingest.preflights import Preflights
from gateway.ingest.router import Match, Router
from gateway.keys.keyring import Keyring
from gateway.logs.repeats import Repeats
from gateway.records.metrics import NO_ROUTE, PREFLIGHT, STATIC_ROUTE, Meter
from gateway.storage.contract import Appended, AppendStatus, Entry, Queue

log = logging.getLogger(__name__)


class IngestHandler:
    """Answers requests for every dialect.

    `clock` gives milliseconds since the epoch. `headers` are request headers that browsers may send beyond the
    gateway's own, `exposed` headers of answers that their pages may read. `preflights` remembers the latest preflights,
    by the place of their dialect in `names`: of those that are not served too, so that another handler may go on with
    it. A HEAD request is answered as GET is, and nothing of it is stored or counted.
    """

    def __init__(
        self,
        router: Router,
        pipeline: Pipeline,
        endpoints: GatewayEndpoints,
        clock: Callable[[], int],
        headers: tuple[str, ...],
        preflights: Preflights | None = None,
        names: tuple[str, ...] = (),
        exposed: tuple[str, ...] = (),
    ) -> None:
        self._endpoints = endpoints
        self._router = router
        self._pipeline = pipeline
        self._clock = clock
        self._allowed_headers = cors.allowed_headers(headers)
        self._exposed_headers = cors.exposed_headers(exposed)
        self._preflights = preflights or Preflights()
        self._meter = pipeline.meter
        self._monotonic = pipeline.monotonic
        self._names = names or router.dialects()
        self._numbers = {name: number for number, name in enumerate(self._names)}
        self._without_trace = attrs.evolve(pipeline, storage=_Nowhere(), meter=Meter(), on_reject=None)

    @property
    def rejections(self) -> Repeats:
        """What logs rejections; it wants to be kept running."""
        return self._pipeline.rejections

    def renew(self, keyring: Keyring) -> None:
        """Check requests against another snapshot of the credentials from now on."""
        self._pipeline.admission.keyring = keyring

    def route(self, head: RequestHead) -> "Exchange":
        """Return where a request goes; its body is read only when an endpoint wants one."""
        match = None
        if not self._endpoints.serve(head.path):
            match = self._router.match(head.headers.get("host", ""), head.method, head.path)
            if "origin" in head.headers and head.method != "OPTIONS":
                self._preflights.followed(head)
        return Exchange(self, head, match, self._monotonic())

    def cors(self, head: RequestHead) -> str:
        """Return the CORS header lines of the answer: none where no page may read it."""
        return "" if self._endpoints.is_private(head.path) else cors.lines(head, self._exposed_headers)

    def count_preflights(self) -> None:
        """Count the preflights that no request has followed in time; called before the counters are read."""
        for number, count in self._preflights.expired(self._clock()):
            self._meter.unfollowed_preflights(self._names[number], count)

    def took(self, method: str, match: Match, status: int, started: float) -> None:
        """Take note of how long the answer to a request took that began at a time of the monotonic clock."""
        endpoint = match.endpoint
        if method == "OPTIONS":
            route = PREFLIGHT
        else:
            route = endpoint.name if isinstance(endpoint, Route) else STATIC_ROUTE if endpoint else NO_ROUTE
        self._meter.answered(match.installed.dialect.name, route, status, self._monotonic() - started)

    async def answer(self, head: RequestHead, match: Match | None, body: bytes | Refusal) -> Response:
        """Return the answer to a request, its body within the limit or why it is not; it never raises."""
        try:
            if match is None or match.endpoint is None or head.method == "OPTIONS":
                return await self._answer_no_endpoint(head, match)
            endpoint = match.endpoint
            request = self._read(head, match, body)
            if isinstance(request, Response):
                return request
            if isinstance(endpoint, StaticRoute):
                return endpoint.answer(request)
            pipeline = self._pipeline if head.method != "HEAD" else self._without_trace
            return await pipeline.ingest(match.installed, endpoint, request)
        except Exception:
            log.exception("a bug answered 500 to a %s", head.method)
            return INTERNAL

    def _read(self, head: RequestHead, match: Match, body: bytes | Refusal) -> Request | Response:
        """Return a request with its body inflated, or the answer to one whose body is refused."""
        if isinstance(body, Refusal):
            return self._refuse(head, match, body)
        try:
            encoding = head.headers.get("content-encoding")
            if encoding:
                body = decompress(body, encoding, match.installed.dialect.body_cap)
        except Refusal as refusal:
            return self._refuse(head, match, refusal)
        return self._request(head, match, body)

    async def _answer_no_endpoint(self, head: RequestHead, match: Match | None) -> Response:
        """Return the answer to what reaches no vendor's endpoint."""
        if head.method == "OPTIONS" and not self._endpoints.is_private(head.path):
            return self._answer_preflight(head, match)
        if match is None:
            return await self._endpoints.answer(head.method, head.path, head.headers)
        if match.path == "/" and head.method in ("GET", "HEAD"):
            return self._endpoints.greeting()
        return self._refuse(head, match, _unmatched(match))

    def _answer_preflight(self, head: RequestHead, match: Match | None) -> Response:
        if match is not None and cors.is_preflight(head):
            number = self._numbers[match.installed.dialect.name]
            before, count = self._preflights.asked(head, number, self._clock())
            if count:
                self._meter.unfollowed_preflights(self._names[before], count)
        return cors.preflight(head, self._allowed_headers, () if match is None else match.methods)

    def _refuse(self, head: RequestHead, match: Match, refusal: Refusal) -> Response:
        """Return the answer to a request that did not reach its route's parse."""
        route = None if isinstance(match.endpoint, StaticRoute) else match.endpoint
        is_probe = head.method == "HEAD" and match.endpoint is not None
        pipeline = self._without_trace if is_probe else self._pipeline
        return pipeline.refuse(match.installed, self._request(head, match, b""), refusal, route)

    def _request(self, head: RequestHead, match: Match, body: bytes) -> Request:
        return Request(
            method="GET" if head.method == "HEAD" and match.endpoint is not None else head.method,
            path=match.path,
            query=parse_query(head.query) if head.query else {},
            headers=head.headers,
            body=body,
            received_at=self._clock(),
            client_ip=head.client_ip,
            variables=match.variables,
        )


@attrs.define(eq=False)
class Exchange:
    """One request on its way: a Destination. Without a match the path is the gateway's own.

    `started` is when its head was read, by the monotonic clock.
    """

    _handler: IngestHandler
    _head: RequestHead
    _match: Match | None
    _started: float

    @property
    def body_limit(self) -> int | None:
        """See Destination."""
        match = self._match
        return None if match is None or match.endpoint is None else match.installed.dialect.body_cap

    async def answer(self, body: bytes | Refusal) -> Response:
        """See Destination."""
        handler, head, match = self._handler, self._head, self._match
        response = await handler.answer(head, match, body)
        if match is not None and head.method != "HEAD":
            handler.took(head.method, match, response.status, self._started)
        return response


class _Nowhere:
    """The Storage of requests that ask only what an answer would be: it keeps nothing."""

    healthy = True
    queue = Queue(0, 0)

    async def append(self, entry: Entry) -> Appended:
        """Return the answer to an entry of which nothing was known."""
        return Appended(AppendStatus.NEW)

    async def close(self) -> None:
        """Do nothing: there is nothing to finish."""


def _unmatched(match: Match) -> Refusal:
    if not match.allowed:
        return Refusal(Reason.NOT_FOUND)
    return Refusal(Reason.METHOD_NOT_ALLOWED, detail={"allowed": ", ".join((*match.methods, "OPTIONS"))})
