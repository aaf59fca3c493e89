"""The load generator's process, seen from the benchmark: one slice of load asked for, one slice of figures back."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator

from tests.bench.load import Job, Result
from tests.bench.servers import ROOT, BenchFailed, Running
from tests.bench.slices import Slice
from tests.bench.traffic import Scenario

NO_LIMIT = 10_000_000


class Loader:
    """The load generator's process; each request it ever sends has ids of its own, counted from `first` on."""

    def __init__(self, process: "subprocess.Popen[str]", first: int = 0) -> None:
        self._process = process
        self._next = first
        self.acknowledged: dict[int, int] = {}

    def send(self, running: Running, scenario: Scenario, seconds: float, most: int = NO_LIMIT) -> Slice:
        """Load a server for so long, or until so many requests. Raises BenchFailed when one is not answered 2xx."""
        result = self._perform(
            {
                "port": running.port,
                "pid": running.pid,
                "connections": scenario.connections,
                "seconds": seconds,
                "most": most,
                "first": self._next,
                "pieces": list(scenario.pieces),
            }
        )
        self._next += result["sent"]
        what = f"{running.contestant.name} in {scenario.name}"
        if result["problem"]:
            raise BenchFailed(f"{what}: {result['problem']}")
        refused = {status: count for status, count in result["statuses"].items() if not status.startswith("2")}
        if refused:
            raise BenchFailed(f"{what}: answers other than 2xx: {refused}; one of them: {result['refusal']}")
        self.acknowledged.setdefault(running.port, 0)
        self.acknowledged[running.port] += result["sent"] * scenario.items
        return Slice(
            requests=result["requests"],
            seconds=result["seconds"],
            rate=result["requests_per_second"],
            server_cpu=result["server_cpu"],
            later_cpu=result["later_cpu"],
            load_cpu=result["load_cpu"],
            others_cpu=result["others_cpu"],
            latencies={int(bucket): count for bucket, count in result["latencies"].items()},
        )

    def _perform(self, job: Job) -> Result:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise BenchFailed("the load generator ended by itself")
        result: Result = json.loads(line)
        return result


@contextlib.contextmanager
def loader(core: int | None, first: int = 0) -> Iterator[Loader]:
    """Run the load generator, on a core of its own where there is one. Several beside each other need ids apart."""
    command = [sys.executable, "-m", "tests.bench.load", *([] if core is None else [str(core)])]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Loader(process, first)
    finally:
        process.terminate()
        process.communicate()


def check(load: Loader, running: Running) -> None:
    """Hold what a durable contestant has stored against what it acknowledged. Raises BenchFailed."""
    if running.contestant.is_durable:
        stored, acknowledged = running.count(), load.acknowledged.get(running.port, 0)
        if stored != acknowledged:
            raise BenchFailed(f"{running.contestant.name} acknowledged {acknowledged} events and stored {stored}")
