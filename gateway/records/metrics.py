"""What one process counts for Prometheus. Labels never name a project, nor anything else that comes from a client."""

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from prometheus_client import Metric
from prometheus_client.registry import Collector

from gateway.dialect.outcome import Outcome, Reason, Verdict
from gateway.records import families
from gateway.records.families import Tallies
from gateway.records.histogram import EVENTS, SECONDS, Histogram

STORED = Verdict.STORED  # looked up once: a member of an enum takes a tenth of a microsecond
ACCEPTED = "accepted"
NOT_MATCHED = {Reason.NOT_FOUND.value, Reason.METHOD_NOT_ALLOWED.value}
NO_ROUTE, STATIC_ROUTE, PREFLIGHT = "(none)", "(static)", "(preflight)"
"""What `route` says of requests that are for no route of a dialect; no name of a route looks like this."""
STATUS_OF = {NO_ROUTE: 404, PREFLIGHT: 204}
ALONE = "gateway"
"""The name of a process that is a whole gateway."""


class Meter(Collector):
    """Counters by dialect, and histograms. `process` is the process's name in metrics of itself.

    They are plain dictionaries until somebody reads them: a counter of prometheus_client takes a lock each time, which
    costs 2 microseconds.
    """

    def __init__(self, process: str = ALONE) -> None:
        self._process = process
        self._items: Counter[tuple[str, str]] = Counter()
        self._requests: Counter[tuple[str, str]] = Counter()
        self._durations: dict[tuple[str, str, int], Histogram] = {}
        self._bugs: Counter[str] = Counter()
        self._preflights: Counter[str] = Counter()
        self._connections: Counter[str] = Counter()
        self._commit_seconds, self._commit_events = Histogram(SECONDS), Histogram(EVENTS)
        self._queue: Callable[[], tuple[int, int]] | None = None

    def announce(self, dialect: str, routes: Iterable[str]) -> None:
        """Have a row with 0 for whatever may be counted of a dialect: a first increase would not be seen without.

        Of a route's statuses only one has, 200 for what is no preflight: there are too many.
        """
        for verdict in Verdict:
            self._items[dialect, verdict.value] += 0
        for result in (ACCEPTED, *[reason.value for reason in Reason]):
            self._requests[dialect, result] += 0
        self._bugs[dialect] += 0
        self._preflights[dialect] += 0
        for route in (*routes, NO_ROUTE, PREFLIGHT):
            self._durations.setdefault((dialect, route, STATUS_OF.get(route, 200)), Histogram(SECONDS))

    def accepted(self, dialect: str, outcomes: Sequence[Outcome]) -> None:
        """Count a request that was answered 2xx, and its items."""
        self._requests[dialect, ACCEPTED] += 1
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

    def imported(self, dialect: str, verdicts: Mapping[str, int]) -> None:
        """Count items that a command read from a file, by their verdicts; nobody has sent a request."""
        for verdict, count in verdicts.items():
            self._items[dialect, verdict] += count

    def answered(self, dialect: str, route: str, status: int, seconds: float) -> None:
        """Take note of how long it took to answer a request; `route` is a route's name, or one of those above."""
        name = (dialect, route, status)
        histogram = self._durations.get(name)
        if histogram is None:
            histogram = self._durations[name] = Histogram(SECONDS)
        histogram.observe(seconds)

    def committed(self, seconds: float, events: int) -> None:
        """Take note of a commit: how long it took, and how many events it stored."""
        self._commit_seconds.observe(seconds)
        self._commit_events.observe(events)

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

    def tallies(self) -> Tallies:
        """Return all numbers as of now."""
        found: Tallies = {
            (families.COMMIT_SECONDS.name,): self._commit_seconds.numbers(),
            (families.COMMIT_EVENTS.name,): self._commit_events.numbers(),
        }
        for (dialect, verdict), count in self._items.items():
            found[families.ITEMS.name, dialect, verdict] = [count]
            received = found.setdefault((families.ITEMS_RECEIVED.name, dialect), [0])
            received[0] += count if verdict != Verdict.REJECTED.value else 0
        for (dialect, result), count in self._requests.items():
            found[families.REQUESTS.name, dialect, result] = [count]
            unmatched = found.setdefault((families.UNMATCHED.name, dialect), [0])
            unmatched[0] += count if result in NOT_MATCHED else 0
        for (dialect, route, status), histogram in self._durations.items():
            found[families.REQUEST_SECONDS.name, dialect, route, str(status)] = histogram.numbers()
        for family, counter in (
            (families.DIALECT_BUGS, self._bugs),
            (families.PREFLIGHTS, self._preflights),
            (families.CONNECTIONS, self._connections),
        ):
            found |= {(family.name, name): [count] for name, count in counter.items()}
        if self._queue is not None:
            waiting, limit = self._queue()
            found[families.QUEUE_BYTES,], found[families.QUEUE_LIMIT_BYTES,] = [waiting], [limit]
        return found | self._garbage()

    def collect(self) -> Iterator[Metric]:
        """Yield the numbers as families of metrics."""
        return families.metrics(self.tallies())

    def processes(self) -> dict[str, int]:
        """Return the process ids of the processes that these numbers are of, by name; 0 stands for this one."""
        return {self._process: 0}

    def _garbage(self) -> Tallies:
        found: Tallies = {}
        for generation, stats in enumerate(gc.get_stats()):
            labels = (self._process, str(generation))
            found[families.GC_COLLECTIONS.name, *labels] = [stats["collections"]]
            found[families.GC_COLLECTED.name, *labels] = [stats["collected"]]
            found[families.GC_UNCOLLECTABLE.name, *labels] = [stats["uncollectable"]]
        return found
