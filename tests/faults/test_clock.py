"""A wall clock that jumps an hour both ways: nothing is lost, ids are still known, and nobody is locked out."""

import asyncio
import os
import random
from collections.abc import Callable
from pathlib import Path

from tests.faults.figures import Figure
from tests.faults.lives import log_of, watched
from tests.faults.oracle import GOOD, Oracle, faults_in
from tests.faults.traffic import keys_of, kinds
from tests.faults.wire import ask, request
from tests.kit.serving import Served

HOUR = 3600
LIMITED = "[limits.databuddy]\nrequests = 4\nseconds = 1\n"


def clocked(folder: Path, shim: Path) -> tuple[Path, dict[str, str]]:
    """Return the file that sets the clock, and the environment of a gateway that goes by it."""
    offset = folder / "offset"
    offset.write_text("0")
    return offset, {"LD_PRELOAD": str(shim), "CLOCK_OFFSET": str(offset)}


async def jumped(served: Served, oracle: Oracle, offset: Path) -> None:
    """Load while the clock jumps ahead, back behind where it started, and home again."""
    stop = asyncio.Event()
    load = asyncio.create_task(oracle.load(served.url, stop))
    for seconds in (0, HOUR, -HOUR, 0):
        await asyncio.to_thread(offset.write_text, f"{seconds:+d}      ")
        await asyncio.sleep(0.5)
    stop.set()
    await load
    await oracle.settle(served.url)


def test_a_clock_that_jumps_loses_nothing_and_doubles_nothing(
    tmp_path: Path, figure: Figure, shim: Callable[[str], Path]
) -> None:
    offset, environment = clocked(tmp_path, shim("clock"))
    with watched(tmp_path / "data", env=environment) as served:
        oracle = Oracle(kinds(keys_of(served.greeting)), random.Random(9))
        asyncio.run(jumped(served, oracle, offset))
        figures = oracle.judge(served)
        hours = {event["received_at"][:13] for event in served.events()}
        assert served.stop() == 0
    figure(f"{len(hours)} hours of the day seen, {figures}")
    assert oracle.broken == []
    assert faults_in(figures) == GOOD
    assert len(hours) >= 3


def test_a_clock_that_jumps_while_the_gateway_is_down_forgets_no_id(
    tmp_path: Path, shim: Callable[[str], Path]
) -> None:
    offset, environment = clocked(tmp_path, shim("clock"))
    data = tmp_path / "data"
    with watched(data, env=environment) as served:
        oracle = Oracle(kinds(keys_of(served.greeting)), random.Random(9))
        asyncio.run(jumped(served, oracle, offset))
        os.kill(served.process.pid, 9)
    for seconds in (30 * 24 * HOUR, -30 * 24 * HOUR):
        offset.write_text(f"{seconds:+d}      ")
        with watched(data, env=environment) as served:
            asyncio.run(oracle.settle(served.url))
            assert faults_in(oracle.judge(served)) == GOOD
            assert served.stop() == 0


def test_a_clock_that_jumps_back_does_not_lock_a_limited_client_out(
    tmp_path: Path, shim: Callable[[str], Path]
) -> None:
    offset, environment = clocked(tmp_path, shim("clock"))
    config = tmp_path / "gateway.toml"
    config.write_text(LIMITED)

    async def statuses(served: Served, key: str) -> list[int]:
        raw = request("/track", {"name": "seen"}, {"Authorization": f"Bearer {key}"})
        return [(await ask(served.url, raw)).status for _ in range(30)]

    with watched(tmp_path / "data", "--config", str(config), env=environment) as served:
        key = keys_of(served.greeting)["databuddy"]
        offset.write_text(f"+{HOUR}    ")
        assert 429 in asyncio.run(statuses(served, key))
        offset.write_text("0         ")
        asyncio.run(asyncio.sleep(1.2))
        asyncio.run(statuses(served, key))
        asyncio.run(asyncio.sleep(1.2))
        assert 200 in asyncio.run(statuses(served, key))
        assert served.stop() == 0
    assert "refused databuddy" in log_of(tmp_path / "data")
