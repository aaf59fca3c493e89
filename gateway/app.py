"""The gateway as an aiohttp application to mount in a service of your own, and as a handler without a socket."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import nullcontext

from aiohttp import web

from gateway.clock import now
from gateway.config import Config
from gateway.config.store import store_of
from gateway.datadir import make
from gateway.http.client_address import client_ip
from gateway.http.limits import Budget, Timeouts
from gateway.http.mount import HANDLER, add_routes
from gateway.ingest.ids import fresh
from gateway.records.metrics import Meter
from gateway.workers.http_worker import build_handler, running
from gateway.workers.open_log import opened

__all__ = ["application", "build_handler", "now"]
log = logging.getLogger(__name__)


def application(
    config: Config, *, clock: Callable[[], int] = now, new_id: Callable[[int], str] = fresh
) -> web.Application:
    """Return an application that answers as `gateway serve` does, in one process.

    It opens the store, and takes the lock of a data directory, when it starts up, and lets go when it is cleaned up.
    What says where to listen (`host`, `port`, `unix_socket`, `tls_cert`), `workers` and `connections_per_address` play
    no part. On a Unix socket of the service, peers are trusted like `trusted_proxies`. Startup raises StoreError,
    KeyFileError and RegistryError.

        main = web.Application()
        main.add_subapp("/collect", application(load(Path("gateway.toml"))))

    The service's server inflates bodies before the gateway gets them, and refuses plain JSON under a stale
    Content-Encoding. With `web.AppRunner(main, auto_decompress=False)` the gateway does it, and reads that too.
    """
    app = web.Application()
    settings = config.server
    timeouts = Timeouts(body=settings.body_timeout, idle=settings.idle_timeout)
    address = client_ip(settings.trusted_proxies, settings.client_ip_header)
    add_routes(app, address, timeouts, Budget(settings.unfinished_bytes))

    async def life(app: web.Application) -> AsyncIterator[None]:
        store = store_of(config)
        with nullcontext() if store.directory is None else make(store.directory.path).lock():
            await store.prepare()
            async with store.keys(make=True) as keys:
                if not await keys.list():
                    log.warning("%s has no credentials yet; `gateway keys add` makes the first", store.name)
            meter = Meter()
            async with (
                opened(config, store, on_commit=meter.committed, on_import=meter.imported) as storage,
                running(config, store, storage, clock=clock, new_id=new_id, meter=meter) as handler,
            ):
                app[HANDLER] = handler
                yield

    app.cleanup_ctx.append(life)
    return app
