"""The counters that are committed along with the events, as Prometheus takes them; read when somebody asks."""

import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from gateway.datadir import DataDir, DataDirError
from gateway.dialect.outcome import Verdict
from gateway.storage.sqlite.read.log import Reader
from gateway.storage.sqlite.read.rejected import counts

log = logging.getLogger(__name__)


class CommittedCounters(Collector):
    """The counters of one data directory, by project. They live as long as the directory, whatever process counts."""

    def __init__(self, directory: DataDir) -> None:
        self._directory = directory
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def describe(self) -> list[Metric]:
        """Return nothing to register: the file may not be there yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield what became of each project's items; what was refused before anybody knew whose it was has no name."""
        family = CounterMetricFamily(
            "gateway_project_items", "Items by what became of them.", labels=["project", "dialect", "verdict"]
        )
        for (project, dialect, verdict), count in sorted(totals(self._directory).items()):
            family.add_metric([project, dialect, verdict], count)
        yield family

    def exposition(self) -> bytes:
        """Return the counters in Prometheus' text format; nothing where they cannot be read."""
        try:
            return generate_latest(self._registry)
        except (DataDirError, sqlite3.Error) as error:
            log.warning("the counters cannot be read: %s", error)
            return b""

    def beside(self, others: Callable[[], bytes]) -> Callable[[], bytes]:
        """Return what gives other counters and these."""
        return lambda: others() + self.exposition()


def totals(directory: DataDir) -> Counter[tuple[str, str, str]]:
    """Return the counters by project, dialect and verdict. Raises DataDirError."""
    found: Counter[tuple[str, str, str]] = Counter()
    with Reader(directory) as reader:
        for each in reader.counters():
            verdict = str(each["verdict"]).replace(
                "refused", Verdict.REJECTED.value
            )  # as a file from before 0.2 has it
            found[str(each["project"]), str(each["dialect"]), verdict] += int(str(each["count"]))
    for project, dialect, count in counts(directory):
        found[project, dialect, Verdict.REJECTED.value] += count
    return found
