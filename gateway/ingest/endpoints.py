"""The gateway's own endpoints under `/-/` (health, readiness, metrics, scripts) and the greeting at `/`. No sockets."""

from collections.abc import Awaitable, Callable, Mapping

import attrs

from gateway import __version__
from gateway.dialect.message import Response

PREFIX = "/-/"
SCRIPTS = "/-/shim/"
METHODS = "GET, HEAD, OPTIONS"
TEXT = "text/plain; charset=utf-8"
METRICS = "text/plain; version=0.0.4; charset=utf-8"
SCRIPT = "text/javascript; charset=utf-8"
SCRIPT_HEADERS = {"Cache-Control": "public, max-age=300", "Cross-Origin-Resource-Policy": "cross-origin"}


def never() -> bool:
    """Return False: for a process that is never about to end."""
    return False


@attrs.frozen
class GatewayEndpoints:
    """The gateway's own endpoints.

    `ready` and `draining` are called for every probe: who drains still answers, but wants no new clients. `metrics`
    returns Prometheus' text format. `scripts` are served by name under `/-/shim/`. `admin` answers the paths that show
    data, given the path and the request headers; None for other paths.
    """

    ready: Callable[[], bool]
    metrics: Callable[[], Awaitable[bytes]]
    scripts: Mapping[str, bytes] = attrs.field(factory=dict)
    admin: Callable[[str, Mapping[str, str]], Awaitable[Response | None]] | None = None
    draining: Callable[[], bool] = never

    def serve(self, path: str) -> bool:
        """Return whether a path is the gateway's own."""
        return path.startswith(PREFIX)

    def is_private(self, path: str) -> bool:
        """Return whether a path is for operators and probes: no web page may read what it answers.

        Of the gateway's own, pages need the scripts only.
        """
        return path.startswith(PREFIX) and not path.startswith(SCRIPTS)

    def greeting(self) -> Response:
        """Return the answer to `GET /`, for a person."""
        return Response(200, f"event gateway {__version__}: send events to a vendor's own paths.\n".encode(), TEXT)

    async def answer(self, method: str, path: str, headers: Mapping[str, str]) -> Response:
        """Return the answer to a request under `/-/`. Only what shows data waits for anything."""
        if method == "OPTIONS":
            return Response(204, headers={"Allow": METHODS})
        if method not in ("GET", "HEAD"):
            return Response(405, b"method not allowed: use GET\n", TEXT, {"Allow": METHODS})
        if path == "/-/healthy":
            return Response(200, b"healthy\n", TEXT)
        if path == "/-/ready":
            if self.draining():
                return Response(503, b"draining\n", TEXT)
            return Response(200, b"ready\n", TEXT) if self.ready() else Response(503, b"not ready\n", TEXT)
        if path == "/-/metrics":
            return Response(200, await self.metrics(), METRICS)
        found = None if self.admin is None else await self.admin(path, headers)
        if found is not None:
            return found
        script = self.scripts.get(path.removeprefix(SCRIPTS))
        if script is not None:
            return Response(200, script, SCRIPT, SCRIPT_HEADERS)
        return Response(404, b"not found: the gateway serves /-/healthy, /-/ready and /-/metrics here\n", TEXT)
