"""The HTTP side of one process: a server and what it serves, of which another configuration makes another one."""

import asyncio
import contextlib
import gc
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Self

from gateway.clock import now
from gateway.config import Config
from gateway.config.serving import certificate
from gateway.config.store import store_settings
from gateway.http.client_address import client_ip
from gateway.http.connection_limits import REFUSALS, ConnectionLimits
from gateway.http.limits import Budget, Timeouts
from gateway.http.listening.certificate import Certificate
from gateway.http.listening.listeners import Listeners
from gateway.http.server import Server
from gateway.ingest.ids import fresh
from gateway.ingest.preflights import Preflights
from gateway.ingest.rate_limit import Limit, Limiter, MemoryLimiter
from gateway.records.metrics import Meter
from gateway.storage.contract import Storage
from gateway.storage.store import Store
from gateway.workers.http_worker import running

Limiters = Callable[[Config], Mapping[str, Limiter]]
"""Returns the limiters of a configuration, by dialect. An equal limit goes on with what it has counted."""
log = logging.getLogger(__name__)


class Answering:
    """Answers requests on bound sockets as long as `opened` lasts. `url` is where.

    `renew` makes a handler, and all that it writes with, of another configuration, and gives the server that one. The
    last one ends once the requests that it has begun are answered.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        storage: Storage,
        meter: Meter | None = None,
        limiters: Limiters | None = None,
        preflights: Preflights | None = None,
        *,
        clock: Callable[[], int] = now,
        new_id: Callable[[int], str] = fresh,
    ) -> None:
        self.config = config
        self.url = ""
        self._store = store
        self._storage = storage
        self._meter = meter or Meter()
        for reason in REFUSALS:
            self._meter.connections_refused(reason, 0)
        self._limiters = limiters or memory_limiters()
        self._preflights = preflights or Preflights()
        self._clock, self._new_id = clock, new_id
        self._draining = False
        self._budget, self._limits = Budget(), ConnectionLimits(on_refused=self._meter.connections_refused)
        self._handling = contextlib.AsyncExitStack()
        self._server: Server | None = None
        self._ending: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def opened(self, listeners: Listeners) -> AsyncIterator[Self]:
        """Answer during the block, and finish at its end what was accepted. Raises BadCertificate."""
        await self.renew(self.config)
        assert self._server is not None, "made by renew"
        try:
            _tune_garbage_collection()
            async with _followed(certificate(self.config)) as tls:
                self.url = await self._server.start(*listeners.sockets, tls=tls, handed_over=listeners.handed_over)
                try:
                    yield self
                finally:
                    await self._server.stop()
        finally:
            await asyncio.gather(*self._ending)
            await self._handling.aclose()

    async def renew(self, config: Config) -> None:
        """Answer by another configuration from now on. On an exception nothing has changed."""
        handling = contextlib.AsyncExitStack()
        try:
            handler = await handling.enter_async_context(
                running(
                    config,
                    self._store,
                    self._storage,
                    clock=self._clock,
                    new_id=self._new_id,
                    meter=self._meter,
                    limiters=self._limiters(config),
                    preflights=self._preflights,
                    draining=lambda: self._draining,
                )
            )
            await self._store.renew(store_settings(config))
        except BaseException:
            await handling.aclose()
            raise
        settings = config.server
        address = client_ip(settings.trusted_proxies, settings.client_ip_header)
        timeouts = Timeouts(body=settings.body_timeout, idle=settings.idle_timeout)
        self._budget.max_bytes = settings.unfinished_bytes
        self._limits.per_address, self._limits.trusted = settings.connections_per_address, settings.trusted_proxies
        before, self._handling, self.config = self._handling, handling, config
        if self._server is None:
            self._server = Server(handler, address, timeouts, self._budget, self._limits)
            return
        self._server.renew(handler, address, timeouts)
        task = asyncio.get_running_loop().create_task(_end(self._server, before))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def drain(self, hurry: asyncio.Event) -> None:
        """Tell probes that the process is about to end, and answer on for `drain_seconds`, or until `hurry`."""
        self._draining = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(hurry.wait(), self.config.server.drain_seconds)


@contextlib.asynccontextmanager
async def _followed(found: Certificate | None) -> AsyncIterator[Callable[[], ssl.SSLContext] | None]:
    """Yield what gives the certificate of the moment, if there is one."""
    if found is None:
        yield None
        return
    task = asyncio.create_task(found.follow())
    try:
        yield lambda: found.context
    finally:
        task.cancel()
        await asyncio.wait([task])


def memory_limiters() -> Limiters:
    """Return limiters for one process."""
    known: dict[str, tuple[Limit, Limiter]] = {}

    def limiters(config: Config) -> Mapping[str, Limiter]:
        for name, limit in config.limits.items():
            if name not in known or known[name][0] != limit:
                known[name] = limit, MemoryLimiter(limit)
        return {name: known[name][1] for name in config.limits}

    return limiters


async def _end(server: Server, handling: contextlib.AsyncExitStack) -> None:
    """End what no request needs any more."""
    await server.settled()
    try:
        await handling.aclose()
    except Exception:
        log.exception("a bug: what belonged to the configuration before has not ended well")
    gc.collect()  # it takes memory, and collections are rare


def _tune_garbage_collection() -> None:
    """Freeze what was made at start, and collect less often.

    Requests create no cycles: at Python's default pace, looking for them was a fifth of a batch's CPU and most of p99.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
