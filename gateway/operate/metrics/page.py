"""The answer of /-/metrics: what the processes count, what the system knows of them, what the store knows."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import attrs
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway import __version__
from gateway.keys.keyring import Keyring
from gateway.operate.metrics.credentials import key_metrics
from gateway.operate.metrics.processes import process_metrics, python_info
from gateway.operate.metrics.store import QuarantineCount, StoreFacts, read
from gateway.records import families
from gateway.records.metrics import Meter
from gateway.storage.store import Store
from gateway.store_error import StoreError

log = logging.getLogger(__name__)


@attrs.define(eq=False, kw_only=True)
class MetricsPage:
    """Answers for all processes of a gateway.

    `dialects` are those that are served. `ready` says whether the gateway can store events, `keyring` gives the
    credentials in force; `clock` is in milliseconds since the epoch. Without a `store` only the processes are told of.
    It is waited for `patience` seconds: what hangs must not hide that it does.
    """

    meter: Meter
    dialects: tuple[str, ...]
    ready: Callable[[], bool]
    keyring: Callable[[], Keyring]
    clock: Callable[[], int]
    store: Store | None
    patience: float = 3.0
    _count: QuarantineCount = attrs.field(factory=QuarantineCount, init=False)
    _making: asyncio.Task[bytes] | None = attrs.field(default=None, init=False)
    _reading: asyncio.Task[StoreFacts | None] | None = attrs.field(default=None, init=False)
    _last_error: str = attrs.field(default="", init=False)

    async def exposition(self) -> bytes:
        """Return everything in Prometheus' text format; what the store does not say in time is left out.

        Anybody may ask. However many do at once, one page is made for all: that is work for some milliseconds.
        """
        if self._making is None or self._making.done():
            self._making = asyncio.create_task(self._make())
        making = self._making
        await asyncio.wait([making])  # one that is gone does not cancel it for the others
        return making.result()

    async def _make(self) -> bytes:
        facts = await self._facts()
        tallies, grants, ready = self.meter.tallies(), self.keyring().grants, self.ready()
        pids, now = self.meter.processes(), self.clock()

        def text() -> bytes:
            return _text(
                chain(
                    families.metrics(tallies),
                    _state(ready),
                    key_metrics(grants.values(), self.dialects, now),
                    () if facts is None else facts.metrics(),
                    python_info(),
                    process_metrics(pids),
                )
            )

        return await asyncio.to_thread(text)

    async def _facts(self) -> StoreFacts | None:
        """Return what the store says. While it hangs, nobody asks it again."""
        if self.store is None:
            return None
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(self.store))
        done, _ = await asyncio.wait([self._reading], timeout=self.patience)
        if not done:
            self._warn(self.store, "it does not answer")
            return None
        return self._reading.result()

    async def _read(self, store: Store) -> StoreFacts | None:
        try:
            found = await read(store, self._count)
        except StoreError as error:
            self._warn(store, str(error))
            return None
        self._last_error = ""
        return found

    def _warn(self, store: Store, error: str) -> None:
        """Say once why there are no counters; of a directory that is gone the engine tells."""
        if error != self._last_error:
            directory = store.directory
            is_gone = directory is not None and not directory.path.is_dir()
            log.log(logging.DEBUG if is_gone else logging.WARNING, "the counters cannot be read: %s", error)
        self._last_error = error


@attrs.frozen(eq=False)
class _Collected(Collector):
    """Families as Prometheus' client asks for them."""

    metrics: Iterable[Metric]

    def collect(self) -> Iterable[Metric]:
        return self.metrics


def _text(metrics: Iterable[Metric]) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(metrics))
    return generate_latest(registry)


def _state(ready: bool) -> Iterator[Metric]:
    build = GaugeMetricFamily("gateway_build_info", "The version that runs.", labels=["version"])
    build.add_metric([__version__], 1)
    yield build
    yield GaugeMetricFamily("gateway_ready", "Whether events can be stored now: what /-/ready says.", value=int(ready))
