"""The counters that are committed together with the events, in Prometheus' format. Read from the store when asked."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator

import attrs
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.dialect.outcome import Verdict
from gateway.storage import buckets
from gateway.storage.records import Records
from gateway.storage.store import Store
from gateway.store_error import StoreError

Totals = Counter[tuple[str, str, str]]
"""Counts by project, dialect and verdict: `{("shop", "tranthor", "stored"): 2}`. `received` counts like a verdict."""
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


async def totals(records: Records) -> Totals:
    """Return the counters by (project, dialect, verdict), those of rejected requests too. Raises StoreError."""
    found: Totals = Counter()
    for project, dialect, verdict, count in await records.counters():
        found[project, dialect, verdict] += count
    for project, dialect, count in await records.rejected_counts():
        found[project, dialect, Verdict.REJECTED.value] += count
    return found


@attrs.frozen
class TotalsSince:
    """The counters of a time and all after it, as `totals` has them, and the times that they really cover.

    `since` is the start of the first bucket. `counted_since` is set if an older gateway ran after it, which kept no
    counters by time: only what came later is in the totals. Both are in milliseconds since the epoch.
    """

    totals: Totals
    since: int
    counted_since: int | None = None


async def totals_since(records: Records, since: int, now: int) -> TotalsSince:
    """Return what the counters have grown by since a time, which is rounded down to a minute or an hour.

    Minutes are kept for two days, hours for 400 days. Times are in milliseconds since the epoch. Raises StoreError.
    """
    span, start = buckets.covering(since // 1000, now // 1000)
    found: Totals = Counter()
    for _, project, dialect, verdict, count in await records.counter_buckets(span, start):
        found[project, dialect, verdict] += count
    first = await records.counted_since()
    for _, project, dialect, count in await records.rejected_buckets(span, start):
        found[project, dialect, Verdict.REJECTED.value] += count
    late = first if first is not None and first > start else None
    return TotalsSince(found, start * 1000, None if late is None else late * 1000)
