"""What a process answers HTTP with: a handler and what it writes beside its answers. Only wiring, and no socket."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping

from gateway.clock import now
from gateway.config import Config
from gateway.config.serving import install_enabled, router
from gateway.config.store import store_settings
from gateway.dialect.contract import Dialect
from gateway.ingest.admission import Admission
from gateway.ingest.bots import known_bots
from gateway.ingest.endpoints import GatewayEndpoints, never
from gateway.ingest.handler import IngestHandler
from gateway.ingest.ids import fresh
from gateway.ingest.pipeline import Pipeline
from gateway.ingest.preflights import Preflights
from gateway.ingest.rate_limit import Limiter, MemoryLimiter
from gateway.ingest.registry import discover
from gateway.keys.admin import Admin
from gateway.keys.keyring import Keyring
from gateway.operate.admin_api import AdminApi
from gateway.operate.metrics.page import MetricsPage
from gateway.records.metrics import STATIC_ROUTE, Meter
from gateway.records.use_log import UseLog
from gateway.storage.contract import Storage
from gateway.storage.rejected_log import RejectedRequestLog
from gateway.storage.store import Store


def build_handler(
    config: Config,
    dialects: Iterable[Dialect],
    storage: Storage,
    keyring: Keyring,
    *,
    clock: Callable[[], int] = now,
    new_id: Callable[[int], str] = fresh,
    monotonic: Callable[[], float] = time.monotonic,
    meter: Meter | None = None,
    limiters: Mapping[str, Limiter] | None = None,
    admin: AdminApi | None = None,
    rejected_log: RejectedRequestLog | None = None,
    use_log: UseLog | None = None,
    preflights: Preflights | None = None,
    draining: Callable[[], bool] = never,
) -> IngestHandler:
    """Return a gateway without a socket. Raises RegistryError.

    `clock` gives milliseconds since the epoch, `new_id` an id from such a time, `monotonic` seconds. `meter`,
    `limiters` (by dialect) and `preflights` are given where several processes share them, or one handler follows
    another. `draining` says whether the process is about to end.
    """
    dialects = tuple(dialects)
    installed = install_enabled(config, dialects)
    meter = meter or Meter()
    for each in installed:
        static = (STATIC_ROUTE,) if each.dialect.static_routes else ()
        meter.announce(each.dialect.name, (*[route.name for route in each.routes], *static))
    meter.watch_queue(lambda: (storage.queue.bytes, storage.queue.limit))
    if limiters is None:
        limiters = {name: MemoryLimiter(limit) for name, limit in config.limits.items()}
    pipeline = Pipeline(
        storage=storage,
        admission=Admission(keyring, limiters),
        new_id=new_id,
        meter=meter,
        keep_ip=config.keep_ip,
        on_reject=None if rejected_log is None else rejected_log.add,
        on_use=None if use_log is None else use_log.add,
        is_bot=known_bots() if config.filter_bots else None,
        filter_bots=config.filter_bots,
        keep_raw=config.storage.keep_raw > 0,
        asked=config.asked if config.heeds_wishes else None,
        monotonic=monotonic,
    )
    page = MetricsPage(
        meter=meter,
        dialects=tuple(each.dialect.name for each in installed),
        ready=lambda: storage.healthy and not draining(),
        keyring=lambda: pipeline.admission.keyring,
        clock=clock,
        store=None if admin is None else admin.store,
    )

    async def metrics() -> bytes:
        handler.count_preflights()
        return await page.exposition()

    endpoints = GatewayEndpoints(
        ready=lambda: storage.healthy,
        draining=draining,
        metrics=metrics,
        scripts={name: script for each in installed for name, script in each.dialect.scripts.items()},
        admin=None if admin is None else admin.answer,
    )
    headers = tuple(header for each in installed for header in each.dialect.headers)
    exposed = tuple(header for each in installed for header in each.dialect.exposed_headers)
    names = tuple([dialect.name for dialect in dialects])
    handler = IngestHandler(router(config, installed), pipeline, endpoints, clock, headers, preflights, names, exposed)
    return handler


@contextlib.asynccontextmanager
async def running(
    config: Config,
    store: Store,
    storage: Storage,
    *,
    clock: Callable[[], int] = now,
    new_id: Callable[[int], str] = fresh,
    meter: Meter | None = None,
    limiters: Mapping[str, Limiter] | None = None,
    preflights: Preflights | None = None,
    draining: Callable[[], bool] = never,
) -> AsyncIterator[IngestHandler]:
    """Yield a handler that follows the credentials, counts their uses and keeps rejected requests."""
    async with store.keys() as keys:
        keyring, admin = await keys.load(), AdminApi(store, await keys.admin())
    rejected_log, use_log = store.rejected_log(store_settings(config)), store.use_log()
    handler = build_handler(
        config,
        discover(),
        storage,
        keyring,
        clock=clock,
        new_id=new_id,
        meter=meter,
        limiters=limiters,
        admin=admin,
        rejected_log=rejected_log,
        use_log=use_log,
        preflights=preflights,
        draining=draining,
    )

    def renew(keyring: Keyring, token: Admin) -> None:
        handler.renew(keyring)
        admin.renew(token)

    async with rejected_log.running(), use_log.running(), handler.rejections.running(), _following(store, renew):
        yield handler


@contextlib.asynccontextmanager
async def _following(store: Store, renew: Callable[[Keyring, Admin], None]) -> AsyncIterator[None]:
    """Keep the credentials and the admin token as the store has them."""
    task = asyncio.create_task(store.watch_keys(renew))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
