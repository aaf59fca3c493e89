"""Slow and idle clients: whoever else comes is served as if they were not there."""

import asyncio
import resource
import time
from pathlib import Path

from tests.faults.figures import Figure
from tests.faults.lives import watched
from tests.faults.traffic import keys_of
from tests.faults.wire import Connection, request
from tests.kit.serving import Served

IDLE = 5000
SLOW = 50
GROWTH = 250.0  # mebibytes that 5,000 connections may cost
PROBES = 100
SPARE = 300
BODY_TIMEOUT = 2.0


def wanted(count: int) -> int:
    """Raise the limit of open files as far as it goes; return how many connections that allows for."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(count, hard - SPARE)


async def probed(served: Served) -> tuple[float, float]:
    """Return the median and the longest time of requests on a connection of their own, in milliseconds."""
    key = keys_of(served.greeting)["databuddy"]
    raw = request("/track", {"name": "seen"}, {"Authorization": f"Bearer {key}"})
    times = []
    for _ in range(PROBES):
        started = time.perf_counter()
        connection = await Connection.open(served.url)
        assert (await connection.exchange(raw)).status == 200
        connection.cut()
        times.append((time.perf_counter() - started) * 1000)
    return sorted(times)[PROBES // 2], max(times)


def test_five_thousand_idle_connections_leave_room_for_others(tmp_path: Path, figure: Figure) -> None:
    count = wanted(IDLE)

    async def crowd(served: Served) -> tuple[float, float]:
        idle: list[Connection] = []
        for start in range(0, count, 250):
            batch = min(250, count - start)
            idle += await asyncio.gather(*[Connection.open(served.url) for _ in range(batch)])
        found = await probed(served)
        for connection in idle:
            connection.cut()
        return found

    with watched(tmp_path / "data", new_python=True) as served:
        median, longest = asyncio.run(crowd(served))
        resident = resident_mebibytes(served.process.pid)
        assert served.stop() == 0
    figure(
        f"{count} idle: {PROBES} others served, median {median:.1f} ms, longest {longest:.0f} ms; {resident:.0f} MiB"
    )
    assert longest < 2000
    assert resident < GROWTH


def test_clients_that_send_a_byte_a_second_are_given_up_and_hold_nobody_up(tmp_path: Path, figure: Figure) -> None:
    head = request("/track", {"name": "x" * 60})

    async def dribble(served: Served) -> int:
        connection = await Connection.open(served.url)
        connection.writer.write(head[:-60])
        for byte in head[-60:-50]:
            connection.writer.write(bytes([byte]))
            try:
                async with asyncio.timeout(1):
                    status = (await connection.answer()).status
            except TimeoutError:
                continue
            connection.cut()
            return status
        raise AssertionError("a slow client is waited for without end")

    async def together(served: Served) -> tuple[tuple[float, float], list[int]]:
        slow = [asyncio.create_task(dribble(served)) for _ in range(SLOW)]
        return await probed(served), await asyncio.gather(*slow)

    with watched(tmp_path / "data", env={"GATEWAY_BODY_TIMEOUT": str(BODY_TIMEOUT)}) as served:
        (median, longest), statuses = asyncio.run(together(served))
        assert served.stop() == 0
    figure(f"{SLOW} slow: {PROBES} others served, median {median:.1f} ms, longest {longest:.0f} ms; slow ones got 408")
    assert statuses == [408] * SLOW
    assert longest < 1000


def resident_mebibytes(pid: int) -> float:
    """Return how much memory a process holds."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("the process has no memory")
