"""Kill -9, again and again under load, with an oracle outside that compares what was promised with what is kept."""

import asyncio
import random
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import attrs

from tests.faults.lives import watched
from tests.faults.oracle import Oracle
from tests.faults.traffic import keys_of, kinds
from tests.serving import GATEWAY

LONGEST_LIFE = 0.6
STARTING = 1.0  # seconds: a gateway is killed at a random moment of its start too
START_KILLED = 0.25


@attrs.frozen
class Result:
    """What came of some kill cycles."""

    cycles: int
    workers: int
    seconds: float
    figures: dict[str, int]
    counts: dict[str, int]
    balanced: bool
    broken: list[str]

    def __str__(self) -> str:
        """Return it in one line."""
        said = ", ".join(f"{count} {name}" for name, count in {**self.figures, **self.counts}.items())
        return f"{self.cycles} kill -9 cycles, {self.workers} worker(s), {self.seconds:.0f} s: {said}"


def run(data: Path, cycles: int, workers: int, seed: int = 20240229) -> Result:
    """Kill a gateway so many times under load, then compare; the data directory is made at the first start."""
    started = time.monotonic()
    chance = random.Random(seed)
    arguments = ("--workers", str(workers)) if workers > 1 else ()
    with watched(data, *arguments) as served:
        oracle = Oracle(kinds(keys_of(served.greeting)), chance)
        asyncio.run(_loaded(oracle, served.url, served.process, chance.uniform(0.05, LONGEST_LIFE)))
    for _ in range(cycles - 1):
        if chance.random() < START_KILLED:
            _kill_at_start(data, arguments, chance.uniform(0.0, STARTING))
        with watched(data, *arguments) as served:
            asyncio.run(_loaded(oracle, served.url, served.process, chance.uniform(0.0, LONGEST_LIFE)))
    with watched(data, *arguments) as served:
        asyncio.run(oracle.settle(served.url))
        figures = oracle.judge(served)
        assert served.stop() == 0
    counts = {name: oracle.counts[name] for name in ("retried", "cut off")}
    return Result(cycles, workers, time.monotonic() - started, figures, counts, balances(data), oracle.broken)


async def _loaded(oracle: Oracle, url: str, process: subprocess.Popen[str], seconds: float) -> None:
    load = asyncio.create_task(oracle.load(url, asyncio.Event()))
    await asyncio.wait([load], timeout=seconds)
    assert not load.done(), f"the load ended before the kill: {load}"
    process.send_signal(signal.SIGKILL)
    await load


def _kill_at_start(data: Path, arguments: tuple[str, ...], seconds: float) -> None:
    command = [*GATEWAY, "serve", "--data", str(data), "--host", "127.0.0.1", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        time.sleep(seconds)
        process.kill()


def balances(data: Path) -> bool:
    """Return whether the counters are what the tables hold, and add up."""
    with sqlite3.connect(data / "events.db") as connection:
        rows = connection.execute("SELECT verdict, sum(count) FROM counters GROUP BY 1")
        count = {str(verdict): int(number) for verdict, number in rows}
        (stored,) = connection.execute("SELECT count(*) FROM events").fetchone()
        (held,) = connection.execute("SELECT count(*) FROM quarantine").fetchone()
    connection.close()
    parts = sum(count.get(name, 0) for name in ("stored", "duplicate", "quarantined", "filtered"))
    return bool(count["received"] == parts and count["stored"] == stored and count["quarantined"] == held)
