"""A gateway under constant load for minutes: its rate, its slowest requests, its write-ahead log; then kill -9."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import count
from pathlib import Path

import aiohttp
import attrs
import orjson
from rich.console import Console

from tests.bench.goals import BATCH, SINGLE
from tests.bench.loader import Loader, loader
from tests.bench.servers import BenchFailed, Contestant, Running, started
from tests.bench.slices import Slice, p99, rate
from tests.bench.traffic import scenarios
from tests.kit.log_reading import stored_lines
from tests.kit.serving import add_key, serving
from tests.workers.crowd import KEY, Crowd, kill

SLICE_SECONDS = 10.0
SINGLE_CONNECTIONS = 32
BATCH_CONNECTIONS = 2
LOOK_SECONDS = 0.1
KILLS = 20
MAX_LIFE = 3.0
MEBIBYTE = 1 << 20


def run(console: Console, core: int | None, folder: Path, gateway: Contestant, *, seconds: float) -> None:
    """Load a gateway with single events and batches at once, and print a line now and then. Raises BenchFailed."""
    by_name = {scenario.name: scenario for scenario in scenarios()}
    mixed = (
        attrs.evolve(by_name[SINGLE], connections=SINGLE_CONNECTIONS),
        attrs.evolve(by_name[BATCH], connections=BATCH_CONNECTIONS),
    )
    with started(gateway, folder) as running, loader(core) as one, loader(core) as other, ThreadPoolExecutor() as pool:
        load = (one, other)
        largest = 0
        for number in range(max(1, round(seconds / SLICE_SECONDS))):
            futures = [
                pool.submit(each.send, running, scenario, SLICE_SECONDS)
                for each, scenario in zip(load, mixed, strict=True)
            ]
            longest = _watched(futures, running)
            largest = max(largest, longest)
            single, batch = [future.result() for future in futures]
            console.print(_line((number + 1) * SLICE_SECONDS, single, batch, longest, running), highlight=False)
        _check(load, running)
        console.print(f"write-ahead log: never more than {largest / MEBIBYTE:.0f} MiB", highlight=False)
    console.print(f"now kill -9, {KILLS} times; this takes a minute or two", highlight=False)
    acknowledged = _killed(folder / "killed")
    console.print(f"{KILLS} times kill -9: all {acknowledged:,} acknowledged events are stored, once", highlight=False)


def _watched(futures: list[Future[Slice]], running: Running) -> int:
    """Wait for the load; return the largest size that the write-ahead log had meanwhile."""
    largest = 0
    while wait(futures, LOOK_SECONDS).not_done:
        largest = max(largest, _size(running, "events.db-wal"))
    return largest


def _line(at: float, single: Slice, batch: Slice, longest: int, running: Running) -> str:
    """Return what is shown of some seconds."""
    return (
        f"{at:5.0f} s: {rate(single):6,.0f} single events/s, p99 {p99(single) / 1e3:5.1f} ms; "
        f"{rate(batch):4,.0f} batches/s, p99 {p99(batch) / 1e3:5.1f} ms; "
        f"write-ahead log {longest / MEBIBYTE:4.0f} MiB, events.db {_size(running, 'events.db') / MEBIBYTE:,.0f} MiB"
    )


def _size(running: Running, name: str) -> int:
    return (running.data / name).stat().st_size


def _check(load: tuple[Loader, Loader], running: Running) -> None:
    acknowledged = sum(each.acknowledged[running.port] for each in load)
    if (stored := running.count()) != acknowledged:
        raise BenchFailed(f"{acknowledged} events were acknowledged, {stored} are stored")


def _killed(data: Path) -> int:
    """Kill a gateway again and again under load; return how many events it acknowledged. Raises BenchFailed."""
    add_key(data, "tranthor", "write_key", KEY, project="default")
    chance, numbers = random.Random(20240229), iter(count())
    acknowledged: set[str] = set()
    for _ in range(KILLS):
        with serving(data) as served:
            acknowledged |= asyncio.run(_life(served.url, served.process.pid, numbers, chance.uniform(0.2, MAX_LIFE)))
    with serving(data) as served:  # a start after a kill, and a clean stop
        served.stop()
    stored = Counter(orjson.loads(line)["message_id"] for line in stored_lines(data))
    lost, twice = acknowledged - stored.keys(), [name for name, times in stored.items() if times > 1]
    if lost or twice:
        raise BenchFailed(f"after {KILLS} times kill -9 {len(lost)} events are lost and {len(twice)} stored twice")
    return len(acknowledged)


async def _life(url: str, pid: int, numbers: Iterator[int], seconds: float) -> set[str]:
    """Load a gateway for so long, then kill it; return what it acknowledged."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        crowd = Crowd(url, session, numbers=numbers)
        clients = [asyncio.create_task(crowd.client()) for _ in range(SINGLE_CONNECTIONS)]
        await asyncio.sleep(seconds)
        kill(pid)
        crowd.going_on = False
        await asyncio.gather(*clients)
    return crowd.yes
