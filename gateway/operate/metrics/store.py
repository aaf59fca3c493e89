"""What the store knows, for /-/metrics: counters by project, sizes, the newest event. Each reading is a bounded one."""

from collections.abc import Iterator

import attrs
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from gateway.operate.counters import ERASED, Totals, totals
from gateway.operate.newest_event import newest_event
from gateway.operate.times import parse
from gateway.storage.info import DiskUse
from gateway.storage.records import Records
from gateway.storage.store import Store


@attrs.frozen(kw_only=True)
class StoreFacts:
    """What was read. `newest` is in seconds since the epoch, 0 without an event; for `lag` see `Records.reader_lag`."""

    totals: Totals
    lag: float | None
    quarantined: int
    quarantine_bytes: int
    newest: float
    disk: DiskUse

    def metrics(self) -> Iterator[Metric]:
        """Yield the families; items rejected before authentication have an empty project."""
        items = CounterMetricFamily(
            "gateway_project_items", "Items by what became of them.", labels=["project", "dialect", "verdict"]
        )
        erased = CounterMetricFamily(
            "gateway_project_erased", "Stored events that were erased with their person.", labels=["project", "dialect"]
        )
        for (project, dialect, verdict), count in sorted(self.totals.items()):
            if verdict == ERASED:
                erased.add_metric([project, dialect], count)
            else:
                items.add_metric([project, dialect, verdict], count)
        yield items
        yield erased
        yield _gauge("gateway_quarantined_items", "Items in quarantine, filtered ones too.", self.quarantined)
        yield _gauge("gateway_quarantine_bytes", "What the quarantines of all projects take.", self.quarantine_bytes)
        yield _gauge(
            "gateway_newest_event_timestamp_seconds",
            "When the last event of the log was received; 0 without one.",
            self.newest,
        )
        sizes = GaugeMetricFamily("gateway_storage_bytes", "What the store takes of its disk.", labels=["part"])
        for part, size in self.disk.parts.items():
            sizes.add_metric([part], size)
        yield sizes
        if self.disk.free is not None:
            yield _gauge("gateway_storage_free_bytes", "What is left on the disk of the store.", self.disk.free)
        if self.lag is not None:
            yield _gauge(
                "gateway_reader_lag_seconds",
                "Seconds for which an open transaction has kept readers of events from going on.",
                self.lag,
            )


@attrs.define
class QuarantineCount:
    """Counts the items in quarantine, each time a part of it: a large one is counted over several readings.

    One reading is at most `steps` statements of `requests` each.
    """

    requests: int = 5000
    steps: int = 4
    _known: int | None = None
    _sum: int = 0
    _after: int | None = 0

    async def read(self, records: Records) -> int:
        """Return how many items there are, as far as they were ever counted: exactly where there are few."""
        for _ in range(self.steps):
            more, self._after = await records.count_quarantined(self._after or 0, self.requests)
            self._sum += more
            if self._after is None:
                self._known, self._sum = self._sum, 0
                break
        return self._sum if self._known is None else self._known


async def read(store: Store, count: QuarantineCount) -> StoreFacts:
    """Return what the store knows now. Raises StoreError."""
    async with store.records() as records:
        found, lag = await totals(records), await records.reader_lag()
        quarantined, quarantine_bytes = await count.read(records), await records.quarantine_bytes()
    newest = await newest_event(store)
    return StoreFacts(
        totals=found,
        lag=lag,
        quarantined=quarantined,
        quarantine_bytes=quarantine_bytes,
        newest=_seconds(newest),
        disk=await store.disk_use(),
    )


def _seconds(received_at: str | None) -> float:
    """Return a time in seconds since the epoch; 0 without one that can be read."""
    try:
        return parse(received_at or "", 0) / 1000
    except (ValueError, OverflowError):
        return 0


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, value=value)
