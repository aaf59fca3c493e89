"""Memory, CPU and files of the gateway's processes, as the system tells them, and which Python they run."""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import Metric, PlatformCollector, ProcessCollector


def process_metrics(pids: Mapping[str, int]) -> Iterator[Metric]:
    """Yield `process_*` of the processes with these ids, 0 for this one, with their names as the label `process`.

    One that has ended has no row. It reads /proc: there are none where the system has no such folder.
    """
    found: dict[str, Metric] = {}
    for name, pid in pids.items():
        for family in _collected(pid):
            whole = found.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            for sample in family.samples:
                whole.add_sample(sample.name, {**sample.labels, "process": name}, sample.value)
    yield from found.values()


def python_info() -> Iterable[Metric]:
    """Return `python_info`: the same for all processes."""
    return PlatformCollector(registry=None).collect()


def _collected(pid: int) -> Iterable[Metric]:
    return ProcessCollector(pid=lambda: pid or "self", registry=None).collect()
