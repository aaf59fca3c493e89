"""The counters of the store in Prometheus' format, for /-/metrics. What they are is counters.py's business."""

import asyncio
import logging
from collections.abc import Iterator

import attrs
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.operate.counters import Totals, totals
from gateway.storage.store import Store
from gateway.store_error import StoreError

log = logging.getLogger(__name__)


class CommittedCounters:
    """The counters of a store, by project. They survive restarts and kills, unlike a process's own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last_error = ""
        # However many ask at once, the store is read by one: anybody may ask.
        self._turn = asyncio.Lock()

    async def exposition(self) -> bytes:
        """Return the counters in Prometheus' text format; empty, with a warning in the log, if they cannot be read."""
        try:
            async with self._turn, self._store.records() as records:
                found, lag = await totals(records), await records.reader_lag()
        except StoreError as error:
            if str(error) != self._last_error:
                directory = self._store.directory
                is_gone = directory is not None and not directory.path.is_dir()  # of which the engine tells
                log.log(logging.DEBUG if is_gone else logging.WARNING, "the counters cannot be read: %s", error)
            self._last_error = str(error)
            return b""
        self._last_error = ""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Collected(found, lag))
        return generate_latest(registry)


@attrs.frozen(eq=False)
class _Collected(Collector):
    """Counters that were read, as Prometheus' client asks for them."""

    totals: Totals
    lag: float | None

    def collect(self) -> Iterator[Metric]:
        """Yield the items of each project by verdict; items rejected before authentication have an empty project."""
        family = CounterMetricFamily(
            "gateway_project_items", "Items by what became of them.", labels=["project", "dialect", "verdict"]
        )
        for (project, dialect, verdict), count in sorted(self.totals.items()):
            family.add_metric([project, dialect, verdict], count)
        yield family
        if self.lag is not None:
            yield GaugeMetricFamily(
                "gateway_reader_lag_seconds",
                "Seconds for which an open transaction has kept readers of events from going on.",
                value=self.lag,
            )
