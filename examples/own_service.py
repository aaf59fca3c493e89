"""The gateway inside a service of your own.

    python examples/own_service.py data          listens on port 8090; send events to http://127.0.0.1:8090/collect/...
    python examples/own_service.py data PORT     listens on another port

The data directory is made if it is missing. `gateway keys add --data data` adds keys once it exists.
Your routes stay yours; the gateway answers below /collect, and keeps its data directory and its promises.
"""

import sys

from aiohttp import web

from gateway.app import application
from gateway.config import load


async def hello(_request: web.Request) -> web.Response:
    return web.Response(text="my own service\n")


def main() -> None:
    service = web.Application()
    service.router.add_get("/", hello)
    data = sys.argv[1] if len(sys.argv) > 1 else "data"
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 8090
    service.add_subapp("/collect", application(load(flags={"data": data})))
    # The gateway inflates bodies itself, within its limits; and a pixel's whole event stands in its query.
    web.run_app(service, host="127.0.0.1", port=port, auto_decompress=False, max_line_size=1 << 16)


if __name__ == "__main__":
    main()
