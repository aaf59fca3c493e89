"""The families of metrics that each process counts by itself, and how their numbers become Prometheus'. Pure.

The numbers travel between processes as Tallies: plain lists that are added up place by place.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

import attrs
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from gateway.records.histogram import EVENTS, SECONDS

Tallies = dict[tuple[str, ...], list[float]]
"""Numbers by family and labels: `{("gateway_items", "acme", "stored"): [3.0]}`; of a histogram see its `numbers`."""


@attrs.frozen(kw_only=True)
class Family:
    """One family. A counter's name is without `_total`, as Prometheus' client wants it.

    With `bounds` it is a histogram, else a counter, or a gauge. What a process says of itself does not outlive it: it
    is not `kept` when another one takes its place, and a gauge never is.
    """

    name: str
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    is_gauge: bool = False
    kept: bool = True

    def metric(self, rows: Iterable[tuple[tuple[str, ...], list[float]]]) -> Metric:
        """Return the family with its rows, each the values of the labels and the numbers."""
        if self.bounds:
            histogram = HistogramMetricFamily(self.name, self.help, labels=self.labels)
            for values, (*counts, total) in rows:
                ends = [*map(str, self.bounds), "+Inf"]
                histogram.add_metric(values, list(zip(ends, accumulate(counts), strict=True)), total)
            return histogram
        kind = GaugeMetricFamily if self.is_gauge else CounterMetricFamily
        family = kind(self.name, self.help, labels=self.labels)
        for values, (number,) in rows:
            family.add_metric(values, number)
        return family


QUEUE_BYTES, QUEUE_LIMIT_BYTES = "gateway_queue_bytes", "gateway_queue_limit_bytes"
ITEMS = Family(name="gateway_items", help="Items by what became of them.", labels=("dialect", "verdict"))
ITEMS_RECEIVED = Family(
    name="gateway_items_received",
    help="Items that were stored, duplicate, quarantined or filtered: all but the rejected ones.",
    labels=("dialect",),
)
REQUESTS = Family(name="gateway_requests", help="Requests by how they ended.", labels=("dialect", "result"))
REQUEST_SECONDS = Family(
    name="gateway_request_duration_seconds",
    help="From the head of a request to its answer, with the time that the client took for the body.",
    labels=("dialect", "route", "status"),
    bounds=SECONDS,
)
UNMATCHED = Family(name="gateway_unmatched_requests", help="Requests that no route matched.", labels=("dialect",))
DIALECT_BUGS = Family(
    name="gateway_dialect_bugs", help="Items whose translation was not a canonical event.", labels=("dialect",)
)
PREFLIGHTS = Family(
    name="gateway_unfollowed_preflights", help="Preflights that no request followed.", labels=("dialect",)
)
CONNECTIONS = Family(
    name="gateway_refused_connections",
    help="Connections refused or closed because an address had too many, or descriptors ran out.",
    labels=("reason",),
)
COMMIT_SECONDS = Family(
    name="gateway_commit_duration_seconds", help="Commits by how long they took, fsync included.", bounds=SECONDS
)
COMMIT_EVENTS = Family(name="gateway_commit_events", help="Commits by how many new events they stored.", bounds=EVENTS)
QUEUE = Family(name=QUEUE_BYTES, help="Bytes of entries that wait to be on disk.", is_gauge=True, kept=False)
QUEUE_LIMIT = Family(
    name=QUEUE_LIMIT_BYTES, help="Bytes of entries that may wait; more are refused.", is_gauge=True, kept=False
)
GC_LABELS = ("process", "generation")
GC_COLLECTIONS = Family(
    name="python_gc_collections", help="Runs of Python's garbage collector.", labels=GC_LABELS, kept=False
)
GC_COLLECTED = Family(
    name="python_gc_objects_collected", help="Objects that it collected.", labels=GC_LABELS, kept=False
)
GC_UNCOLLECTABLE = Family(
    name="python_gc_objects_uncollectable", help="Objects that it could not collect.", labels=GC_LABELS, kept=False
)
FAMILIES = (
    *(ITEMS, ITEMS_RECEIVED, REQUESTS, REQUEST_SECONDS, UNMATCHED, DIALECT_BUGS, PREFLIGHTS, CONNECTIONS),
    *(COMMIT_SECONDS, COMMIT_EVENTS, QUEUE, QUEUE_LIMIT, GC_COLLECTIONS, GC_COLLECTED, GC_UNCOLLECTABLE),
)
"""In the order in which they are told. A family without a row is told too."""
KEPT = frozenset(family.name for family in FAMILIES if family.kept)


def metrics(tallies: Mapping[tuple[str, ...], list[float]]) -> Iterator[Metric]:
    """Yield all families with their rows, sorted by their labels."""
    rows: dict[str, list[tuple[tuple[str, ...], list[float]]]] = {}
    for (family, *labels), numbers in sorted(tallies.items()):
        rows.setdefault(family, []).append((tuple(labels), numbers))
    for each in FAMILIES:
        yield each.metric(rows.get(each.name, ()))


def add(tallies: Tallies, more: Tallies) -> None:
    """Add numbers to those of the same family and labels."""
    for name, numbers in more.items():
        before = tallies.get(name)
        tallies[name] = numbers if before is None else [one + other for one, other in zip(before, numbers, strict=True)]
