"""The counters for Prometheus. Labels never name a project, nor anything else that comes from a client."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.dialect.outcome import Outcome, Reason, Verdict

STORED = Verdict.STORED  # looked up once: a member of an enum takes a tenth of a microsecond
QUEUE_BYTES, QUEUE_LIMIT_BYTES = "gateway_queue_bytes", "gateway_queue_limit_bytes"
GAUGES = frozenset((QUEUE_BYTES, QUEUE_LIMIT_BYTES))
"""Families that say how something is now: they are gone with the process that says so."""
UNMATCHED = {Reason.NOT_FOUND.value, Reason.METHOD_NOT_ALLOWED.value}


class Meter(Collector):
    """Counters by dialect, in a registry of their own.

    They are plain dictionaries until somebody reads them: a counter of prometheus_client takes a lock each time, which
    costs 2 microseconds.
    """

    def __init__(self) -> None:
        self._items: Counter[tuple[str, str]] = Counter()
        self._requests: Counter[tuple[str, str]] = Counter()
        self._bugs: Counter[str] = Counter()
        self._preflights: Counter[str] = Counter()
        self._connections: Counter[str] = Counter()
        self._queue: Callable[[], tuple[int, int]] | None = None
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def accepted(self, dialect: str, outcomes: Sequence[Outcome]) -> None:
        """Count a request that was answered 2xx, and its items."""
        self._requests[dialect, "accepted"] += 1
        # Compared by identity, because hashing a member of an enum runs Python code.
        stored = sum([outcome.verdict is STORED for outcome in outcomes])
        self._items[dialect, "stored"] += stored
        if stored != len(outcomes):
            # By `_value_`, because an enum's `value` runs Python code.
            counts = Counter([each.verdict._value_ for each in outcomes if each.verdict is not STORED])
            for verdict, count in counts.items():
                self._items[dialect, verdict] += count

    def rejected(self, dialect: str, reason: Reason, items: int) -> None:
        """Count a request that was answered with an error, and the items that it brought."""
        self._requests[dialect, reason.value] += 1
        self._items[dialect, Verdict.REJECTED.value] += items

    def dialect_bug(self, dialect: str) -> int:
        """Count a translation that is not a canonical event; return how many there were."""
        self._bugs[dialect] += 1
        return self._bugs[dialect]

    def unfollowed_preflights(self, dialect: str, count: int) -> None:
        """Count preflights after which the browser did not send its request."""
        self._preflights[dialect] += count

    def connections_refused(self, reason: str, count: int) -> None:
        """Count connections that were refused or closed, by why: a word of the gateway's own."""
        self._connections[reason] += count

    def watch_queue(self, queue: Callable[[], tuple[int, int]]) -> None:
        """Tell, whenever somebody asks, how many bytes wait to be written, and how many may."""
        self._queue = queue

    def collect(self) -> Iterator[Metric]:
        """Yield the counters as families of metrics."""
        items = CounterMetricFamily("gateway_items", "Items by what became of them.", labels=["dialect", "verdict"])
        requests = CounterMetricFamily("gateway_requests", "Requests by how they ended.", labels=["dialect", "result"])
        unmatched = CounterMetricFamily(
            "gateway_unmatched_requests", "Requests that no route matched.", labels=["dialect"]
        )
        for (dialect, verdict), count in sorted(self._items.items()):
            items.add_metric([dialect, verdict], count)
        for (dialect, result), count in sorted(self._requests.items()):
            requests.add_metric([dialect, result], count)
        lost: Counter[str] = Counter()
        for (dialect, result), count in self._requests.items():
            lost[dialect] += count if result in UNMATCHED else 0
        for dialect, count in sorted(lost.items()):
            unmatched.add_metric([dialect], count)
        bugs = CounterMetricFamily(
            "gateway_dialect_bugs", "Items whose translation was not a canonical event.", labels=["dialect"]
        )
        for dialect, count in sorted(self._bugs.items()):
            bugs.add_metric([dialect], count)
        preflights = CounterMetricFamily(
            "gateway_unfollowed_preflights", "Preflights that no request followed.", labels=["dialect"]
        )
        for dialect, count in sorted(self._preflights.items()):
            preflights.add_metric([dialect], count)
        refused = CounterMetricFamily(
            "gateway_refused_connections",
            "Connections refused or closed because an address had too many, or descriptors ran out.",
            labels=["reason"],
        )
        for reason, count in sorted(self._connections.items()):
            refused.add_metric([reason], count)
        yield from (items, requests, unmatched, bugs, preflights, refused)
        if self._queue is not None:
            waiting, limit = self._queue()
            yield GaugeMetricFamily(QUEUE_BYTES, "Bytes of entries that wait to be on disk.", value=waiting)
            yield GaugeMetricFamily(QUEUE_LIMIT_BYTES, "Bytes of entries that may wait; more are refused.", value=limit)

    def exposition(self) -> bytes:
        """Return all counters in Prometheus' text format."""
        return generate_latest(self._registry)
