"""Interleaved rounds: each contestant in turn gets the same load, again and again, and the medians are kept."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from statistics import median

import attrs

from tests.bench.load import Job, Result
from tests.bench.servers import ROOT, BenchFailed, Running
from tests.bench.traffic import Scenario

WARM_SECONDS = 0.4
NO_LIMIT = 10_000_000


@attrs.frozen
class Measured:
    """One round: what the load generator saw, and the CPU seconds that the server spent on it."""

    result: Result
    server_cpu: float


@attrs.frozen
class Figures:
    """The medians over the rounds of one contestant in one scenario. Times are microseconds, shares of one core.

    A server that has work enough and yet uses less than its core waits for the disk, or shares the core with others.
    """

    scenario: str
    contestant: str
    items: int
    requests_per_second: float
    cpu_per_request: float
    p50: float
    p99: float
    server_share: float
    load_share: float

    @property
    def events_per_second(self) -> float:
        """Events, not requests."""
        return self.requests_per_second * self.items

    @property
    def cpu_per_event(self) -> float:
        """The server's CPU, shared among the events of a request."""
        return self.cpu_per_request / self.items


class Loader:
    """The load generator's process; each request it ever sends has ids of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._next = 0
        self.acknowledged: dict[int, int] = {}

    def send(self, running: Running, scenario: Scenario, seconds: float, most: int = NO_LIMIT) -> Measured:
        """Load a server for so long, or until so many requests. Raises BenchFailed when one is not answered 2xx."""
        job: Job = {
            "port": running.port,
            "connections": scenario.connections,
            "seconds": seconds,
            "most": most,
            "first": self._next,
            "pieces": list(scenario.pieces),
        }
        before = running.cpu_seconds()
        result = self._perform(job)
        cpu = running.cpu_seconds() - before
        self._next += result["requests"]
        what = f"{running.contestant.name} in {scenario.name}"
        if result["problem"]:
            raise BenchFailed(f"{what}: {result['problem']}")
        refused = {status: count for status, count in result["statuses"].items() if not status.startswith("2")}
        if refused:
            raise BenchFailed(f"{what}: answers other than 2xx: {refused}; one of them: {result['refusal']}")
        self.acknowledged.setdefault(running.port, 0)
        self.acknowledged[running.port] += result["requests"] * scenario.items
        return Measured(result, cpu)

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
def loader(core: int | None) -> Iterator[Loader]:
    """Run the load generator, on a core of its own where there is one."""
    command = [sys.executable, "-m", "tests.bench.load", *([] if core is None else [str(core)])]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Loader(process)
    finally:
        process.terminate()
        process.communicate()


def compare(
    load: Loader,
    contestants: Sequence[Running],
    scenario: Scenario,
    rounds: int,
    seconds: float,
    told: Callable[[str], None] = lambda _text: None,
) -> list[Figures]:
    """Return each contestant's figures in one scenario; the first round only warms up."""
    measured: dict[str, list[Measured]] = {running.contestant.name: [] for running in contestants}
    for number in range(rounds + 1):
        for running in contestants:
            name = running.contestant.name
            told(f"{scenario.name}: {name}, round {number} of {rounds}")
            one = load.send(running, scenario, seconds if number else WARM_SECONDS)
            if number:
                measured[name].append(one)
    for running in contestants:
        check(load, running)
    return [figures(scenario, name, each) for name, each in measured.items()]


def check(load: Loader, running: Running) -> None:
    """Hold what a durable contestant has stored against what it acknowledged. Raises BenchFailed."""
    if running.contestant.is_durable:
        stored, acknowledged = running.count(), load.acknowledged.get(running.port, 0)
        if stored != acknowledged:
            raise BenchFailed(f"{running.contestant.name} acknowledged {acknowledged} events and stored {stored}")


def figures(scenario: Scenario, contestant: str, measured: Sequence[Measured]) -> Figures:
    """Return the medians of some rounds."""
    return Figures(
        scenario=scenario.name,
        contestant=contestant,
        items=scenario.items,
        requests_per_second=median(one.result["requests"] / one.result["seconds"] for one in measured),
        cpu_per_request=median(one.server_cpu / one.result["requests"] * 1e6 for one in measured),
        p50=median(one.result["p50"] for one in measured),
        p99=median(one.result["p99"] for one in measured),
        server_share=median(one.server_cpu / one.result["seconds"] for one in measured),
        load_share=median(one.result["cpu"] / one.result["seconds"] for one in measured),
    )
