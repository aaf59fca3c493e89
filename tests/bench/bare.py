"""The bare handler that the gateway is measured against: aiohttp under uvloop, orjson, no access log, nothing kept."""

import sys

import orjson
import uvloop
from aiohttp import web

ANSWER = orjson.dumps({"status": "success", "count": 1})


async def take(request: web.Request) -> web.Response:
    """Read the body, decode it, answer a small JSON."""
    orjson.loads(await request.read())
    return web.Response(body=ANSWER, content_type="application/json")


async def ready(_request: web.Request) -> web.Response:
    """Say that requests are served."""
    return web.Response(text="ready\n")


def main() -> None:
    """Serve on the port given as the only argument until SIGTERM."""
    uvloop.install()
    app = web.Application(client_max_size=8 * 1024 * 1024)
    app.router.add_get("/-/ready", ready)
    for path in ("/track", "/batch", "/api/v1/track", "/api/public/apps/batch"):
        app.router.add_post(path, take)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)


if __name__ == "__main__":
    main()
