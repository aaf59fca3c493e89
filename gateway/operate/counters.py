"""The counters that are committed together with the events, in Prometheus' format. Read from the files when asked."""

import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator

import attrs
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from gateway.datadir import DataDir, DataDirError
from gateway.dialect.outcome import Verdict
from gateway.storage import buckets
from gateway.storage.sqlite.read.buckets import counted_since, counter_buckets
from gateway.storage.sqlite.read.reader import Reader
from gateway.storage.sqlite.read.rejected import count_buckets, counts

log = logging.getLogger(__name__)


class CommittedCounters(Collector):
    """The counters of one data directory, by project. They survive restarts and kills, unlike a process's own."""

    def __init__(self, directory: DataDir) -> None:
        self._directory = directory
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        self._last_error = ""

    def describe(self) -> list[Metric]:
        """Return nothing: the registry would collect at once otherwise, and the file may not exist yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the items of each project by verdict; items rejected before authentication have an empty project."""
        family = CounterMetricFamily(
            "gateway_project_items", "Items by what became of them.", labels=["project", "dialect", "verdict"]
        )
        for (project, dialect, verdict), count in sorted(totals(self._directory).items()):
            family.add_metric([project, dialect, verdict], count)
        yield family

    def exposition(self) -> bytes:
        """Return the counters in Prometheus' text format; empty, with a warning in the log, if they cannot be read."""
        try:
            counters = generate_latest(self._registry)
        except (DataDirError, sqlite3.Error) as error:
            if str(error) != self._last_error:
                level = logging.WARNING if self._directory.path.is_dir() else logging.DEBUG
                log.log(level, "the counters cannot be read: %s", error)
            self._last_error = str(error)
            return b""
        self._last_error = ""
        return counters

    def beside(self, others: Callable[[], bytes]) -> Callable[[], bytes]:
        """Return a function that returns the text of other counters followed by these."""
        return lambda: others() + self.exposition()


def totals(directory: DataDir) -> Counter[tuple[str, str, str]]:
    """Return the counters by (project, dialect, verdict), from the log and from the rejected requests.

    `{("shop", "tranthor", "stored"): 2}`. `received` is counted like a verdict. Raises DataDirError.
    """
    found: Counter[tuple[str, str, str]] = Counter()
    with Reader(directory) as reader:
        for each in reader.counters():
            verdict = str(each["verdict"]).replace("refused", Verdict.REJECTED.value)  # its name before 0.2
            found[str(each["project"]), str(each["dialect"]), verdict] += int(str(each["count"]))
    for project, dialect, count in counts(directory):
        found[project, dialect, Verdict.REJECTED.value] += count
    return found


@attrs.frozen
class TotalsSince:
    """The counters of a time and all after it, as `totals` has them, and the times that they really cover.

    `since` is the start of the first bucket. `counted_since` is set if an older gateway ran after it, which kept no
    counters by time: only what came later is in the totals. Both are in milliseconds since the epoch.
    """

    totals: Counter[tuple[str, str, str]]
    since: int
    counted_since: int | None = None


def totals_since(directory: DataDir, since: int, now: int) -> TotalsSince:
    """Return what the counters have grown by since a time, which is rounded down to a minute or an hour.

    Minutes are kept for two days, hours for 400 days. Times are in milliseconds since the epoch. Raises DataDirError.
    """
    span, start = buckets.covering(since // 1000, now // 1000)
    found: Counter[tuple[str, str, str]] = Counter()
    with Reader(directory) as reader:
        for _, project, dialect, verdict, count in counter_buckets(reader, span, start):
            found[project, dialect, verdict] += count
        first = counted_since(reader)
    for _, project, dialect, count in count_buckets(directory, span, start):
        found[project, dialect, Verdict.REJECTED.value] += count
    late = first if first is not None and first > start else None
    return TotalsSince(found, start * 1000, None if late is None else late * 1000)
