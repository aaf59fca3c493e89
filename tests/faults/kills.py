"""Kill -9, again and again under load, with an oracle outside that compares what was promised with what is kept."""

import asyncio
import random
import sqlite3
import subprocess
import time
from collections import Counter, deque
from pathlib import Path

import attrs

from tests.faults.lives import seconds_until, watched
from tests.faults.oracle import Oracle
from tests.faults.traffic import keys_of, kinds
from tests.faults.victims import drawn, strike, survives
from tests.kit.serving import GATEWAY, Served

MAX_LOAD = 0.6
STARTING = 1.0  # seconds: a gateway is killed at a random moment of its start too
START_KILLED = 0.25
AT_ITS_START = "at its start"
REFUSED = 200  # connections, a hundredth of a second apart: a front that is gone may refuse some while others serve


@attrs.frozen
class Result:
    """What came of some kill cycles."""

    workers: int
    seconds: float
    killed: dict[str, int]
    figures: dict[str, int]
    counts: dict[str, int]
    balanced: bool
    broken: list[str]

    def __str__(self) -> str:
        """Return it in one line."""
        who = ", ".join(f"{name} {count}" for name, count in self.killed.items())
        said = ", ".join(f"{count} {name}" for name, count in {**self.figures, **self.counts}.items())
        balance = "counters balance" if self.balanced else "COUNTERS DO NOT BALANCE"
        cycles = sum(self.killed.values()) - self.killed.get(AT_ITS_START, 0)
        return f"{cycles} kill -9 cycles, {self.workers} worker(s), {self.seconds:.0f} s ({who}): {said}, {balance}"


def run(data: Path, cycles: int, workers: int, seed: int = 20240229) -> Result:
    """Kill a gateway or one of its processes so many times under load, then compare.

    The data directory is made at the first start. A life goes on where only a part was killed.
    """
    started = time.monotonic()
    chance = random.Random(seed)
    arguments = ("--workers", str(workers)) if workers > 1 else ()
    victims = deque(drawn(cycles, workers, chance))
    killed: Counter[str] = Counter(victims)
    oracle: Oracle | None = None
    while victims:
        if oracle is not None and chance.random() < START_KILLED:
            _kill_at_start(data, arguments, chance.uniform(0.0, STARTING))
            killed[AT_ITS_START] += 1
        with watched(data, *arguments) as served:
            # Of what a writer took with it nobody knows the fate: a 503 is then no promise that it was not kept.
            oracle = oracle or Oracle(kinds(keys_of(served.greeting)), chance, unkept=workers == 1)
            asyncio.run(_life(oracle, served, victims, chance))
    assert oracle is not None, "there is nobody to kill"
    with watched(data, *arguments) as served:
        asyncio.run(oracle.settle(served.url))
        figures = oracle.judge(served)
        assert served.stop() == 0
    counts = {name: oracle.counts[name] for name in ("retried", "cut off", "unavailable")}
    return Result(workers, time.monotonic() - started, dict(killed), figures, counts, balances(data), oracle.broken)


async def _life(oracle: Oracle, served: Served, victims: deque[str], chance: random.Random) -> None:
    """Load a gateway and kill its processes until one of them takes the gateway along, or nobody is to be killed."""
    stop = asyncio.Event()
    load = asyncio.create_task(oracle.load(served.url, stop, refusals=REFUSED))
    goes_on = True
    while victims and goes_on:
        await asyncio.wait([load], timeout=chance.uniform(0.0, MAX_LOAD))
        assert not load.done(), f"the load ended before the kill: {load}"
        victim = victims.popleft()
        goes_on = survives(victim)
        await asyncio.to_thread(strike, served, victim, chance)
        if goes_on:
            await asyncio.to_thread(seconds_until, served.url, 200)
    stop.set()
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
        (quarantined,) = connection.execute("SELECT count(*) FROM quarantine").fetchone()
    connection.close()
    parts = sum(count.get(name, 0) for name in ("stored", "duplicate", "quarantined", "filtered"))
    return bool(count["received"] == parts and count["stored"] == stored and count["quarantined"] == quarantined)
