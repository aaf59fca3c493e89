"""A connection that is cut after the commit and before the answer: the retry is stored once and answered the same."""

import asyncio
import random
from collections import Counter
from pathlib import Path

from tests.faults.figures import Figure
from tests.faults.lives import watched
from tests.faults.oracle import GOOD, Oracle, faults_in
from tests.faults.traffic import Sent, keys_of, kinds, marks_in
from tests.faults.wire import PATIENCE, Connection
from tests.kit.serving import Served

CUTS = 180
MAX_LENGTH = 0.02


async def cut_off(served: Served, oracle: Oracle, chance: random.Random) -> int:
    """Send requests and reset each connection, most without reading; return how many had their answer under way."""
    under_way = 0

    async def one(sent: Sent, waits: bool) -> None:
        nonlocal under_way
        connection = await Connection.open(served.url)
        connection.writer.write(sent.raw)
        if waits:
            under_way += len(await asyncio.wait_for(connection.reader.read(1), PATIENCE))
        else:
            await asyncio.sleep(chance.uniform(0, MAX_LENGTH))
        connection.cut()
        oracle.unanswered(sent)

    sent = [oracle.next() for _ in range(CUTS)]
    for start in range(0, CUTS, 12):
        await asyncio.gather(*(one(each, index == 0) for index, each in enumerate(sent[start : start + 12])))
    return under_way


def test_a_client_that_never_saw_its_answer_gets_it_by_a_retry(tmp_path: Path, figure: Figure) -> None:
    with watched(tmp_path / "data") as served:
        chance = random.Random(5)
        oracle = Oracle(kinds(keys_of(served.greeting)), chance)
        under_way = asyncio.run(cut_off(served, oracle, chance))
        stored = Counter(mark for event in served.events() for mark in set(marks_in(str(event))))
        asyncio.run(oracle.settle(served.url))
        figures = oracle.judge(served)
        assert served.stop() == 0
    figure(
        f"{CUTS} cuts, {under_way} behind the first byte of the answer, "
        f"{len(stored)} events kept before any retry; {figures}"
    )
    assert oracle.broken == []
    assert faults_in(figures) == GOOD
    assert len(stored) > CUTS // 2
    assert under_way == CUTS // 12
