"""SIGTERM under load: all that was acknowledged is kept, the exit code is 0, and the next start finds it."""

import asyncio
import random
import signal
import time
from pathlib import Path

import pytest

from tests.faults.figures import Figure
from tests.faults.lives import watched
from tests.faults.oracle import GOOD, Oracle, faults_in
from tests.faults.traffic import keys_of, kinds
from tests.kit.serving import Served

MAX_LENGTH = 5.0


async def ended(served: Served, oracle: Oracle) -> float:
    """Load, ask the gateway to end, and return after how many seconds it had."""
    load = asyncio.create_task(oracle.load(served.url, asyncio.Event()))
    await asyncio.sleep(0.7)
    assert not load.done()
    started = time.monotonic()
    served.process.send_signal(signal.SIGTERM)
    await load
    assert await asyncio.to_thread(served.process.wait, 30) == 0
    return time.monotonic() - started


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stop_under_load_keeps_what_was_acknowledged_and_exits_0(
    tmp_path: Path, figure: Figure, workers: int
) -> None:
    data, arguments = tmp_path / "data", ("--workers", str(workers))
    with watched(data, *arguments) as served:
        oracle = Oracle(kinds(keys_of(served.greeting)), random.Random(4))
        seconds = asyncio.run(ended(served, oracle))
        cut_off = oracle.counts["cut off"]
        before = oracle.judge(served)  # as the stop left it: nothing is sent again yet
    with watched(data, *arguments) as served:
        asyncio.run(oracle.settle(served.url))
        figures = oracle.judge(served)
        assert served.stop() == 0
    figure(f"{workers} worker(s): ended after {seconds:.2f} s, {cut_off} requests were cut off; {figures}")
    assert (before["lost"], before["doubled"]) == (0, 0)
    assert oracle.broken == []
    assert faults_in(figures) == GOOD
    assert seconds < MAX_LENGTH
