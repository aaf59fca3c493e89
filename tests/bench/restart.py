"""Kills a gateway that has stored much, starts it again on the same data, and times it. It starts processes."""

import time
from statistics import median

import attrs

from tests.bench import procfs
from tests.bench.servers import BenchFailed, Running, started

KILLS = 3


@attrs.frozen
class Restart:
    """Seconds until a killed gateway is ready again, and of CPU that it took: medians of some kills."""

    stored: int
    seconds: float
    cpu: float


def after_kill(running: Running, stored: int) -> Restart:
    """Kill a running gateway and start another on its data, some times. Raises BenchFailed when an event is missing.

    Nothing is stored between the kills, so that each start finds what the first one found.
    """
    seconds: list[float] = []
    cpu: list[float] = []
    running.kill()
    for _ in range(KILLS):
        before = time.perf_counter()
        with started(running.contestant, running.data.parent, running.data) as again:
            seconds.append(time.perf_counter() - before)
            cpu.append(procfs.cpu_seconds(procfs.cpu_clocks(again.pid)))
            if again.count() != stored:
                raise BenchFailed(f"{again.count()} of {stored} events are there after a kill")
            again.kill()
    return Restart(stored, median(seconds), median(cpu))
