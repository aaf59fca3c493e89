"""A Handler inside somebody's own aiohttp service: its answers by aiohttp.web's own request and response."""

from aiohttp import web

from gateway.dialect.message import Response
from gateway.dialect.outcome import Refusal
from gateway.http.body import read_body, skip_body
from gateway.http.client_address import ClientIp, peer_of
from gateway.http.handler import Handler, RequestHead
from gateway.http.head import NotHttp, closes, declared_length, read_head
from gateway.http.limits import Budget, Timeouts

NOT_HTTP = b"bad request: this is not HTTP that the gateway reads\n"
_PATH = "path"
_JSON_STARTS = tuple(b'{[" \t\r\n\xef'[at : at + 1] for at in range(7))
HANDLER: web.AppKey[Handler] = web.AppKey("handler", Handler)
"""Where an application keeps the handler that it serves."""


def add_routes(
    app: web.Application,
    client_ip: ClientIp,
    timeouts: Timeouts | None = None,
    budget: Budget | None = None,
) -> None:
    """Serve `app[HANDLER]` on every path of an application, also where that is mounted under a prefix.

    The service's server has read the request's head: its limits of line and header size are the service's own
    (`web.run_app(..., max_line_size=65536)` takes pixels whose whole event stands in the query).
    """
    limits, bodies = timeouts or Timeouts(), budget or Budget()

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            head = _below_prefix(request, read_head(request, _peer(request), client_ip))
        except NotHttp:
            return _closing(web.Response(status=400, body=NOT_HTTP, content_type="text/plain", charset="utf-8"))
        handler = request.app[HANDLER]
        destination = handler.route(head)
        try:
            body = await _read(request, head, destination.body_limit)
        except ConnectionError as lost:  # before the body was whole
            lost.with_traceback(None)  # one of its frames refers to the future that raised it: a reference cycle
            return _closing(web.Response())
        response = await destination.answer(body)
        answered = _response(response, handler.cors(head), with_body=head.method != "HEAD")
        return _closing(answered) if closes(head) or not request.content.is_eof() else answered

    async def _read(request: web.Request, head: RequestHead, limit: int | None) -> bytes | Refusal:
        payload = request.content
        if limit is None:
            await skip_body(payload, limits.body)
            return b""
        body = await read_body(payload, _declared(head), limit, limits.body, bodies)
        if getattr(payload, "total_compressed_bytes", None) is not None:
            del head.headers["content-encoding"]  # the service's server has inflated it: aiohttp's default
        return body

    app.router.add_route("*", f"/{{{_PATH}:.*}}", answer)


def _peer(request: web.Request) -> str | None:
    transport = request.transport
    if transport is None:  # the client is gone
        return None
    return peer_of(transport.get_extra_info("peername"), transport.get_extra_info("socket").family)


def _declared(head: RequestHead) -> int | None:
    """Return a body's Content-Length; None where it may be inflated on the way."""
    return None if "content-encoding" in head.headers else declared_length(head.headers)


def _below_prefix(request: web.Request, head: RequestHead) -> RequestHead:
    """Return the head with the path as it is below the prefix under which the application is mounted."""
    resource = request.match_info.route.resource
    prefix = "" if resource is None else resource.canonical.removesuffix(f"/{{{_PATH}}}")
    return RequestHead(
        method=head.method,
        path=head.path.removeprefix(prefix) or "/",
        query=head.query,
        headers=head.headers,
        client_ip=head.client_ip,
    )


def _closing(response: web.Response) -> web.Response:
    response.force_close()
    return response


def _response(response: Response, cors: str, *, with_body: bool) -> web.Response:
    answered = web.Response(status=response.status, body=response.body if with_body else None)
    for line in cors.splitlines():
        name, _, value = line.partition(": ")
        answered.headers[name] = value
    answered.headers.update(response.headers)
    if response.body is not None:
        answered.headers["Content-Type"] = response.content_type
        answered.headers["Content-Length"] = str(len(response.body))
    return answered
