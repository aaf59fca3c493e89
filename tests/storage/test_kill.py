"""Killing the writer at any moment loses nothing that was acknowledged, and a retry is stored once."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from gateway.datadir import find, make
from gateway.storage.contract import Appended, AppendStatus, Entry, EventRow
from gateway.storage.group_commit import GroupCommit
from gateway.storage.sqlite.checkpointer import CheckpointPace
from gateway.storage.sqlite.engine import SqliteEngine
from gateway.storage.sqlite.log_writer import LogSettings
from gateway.storage.sqlite.read.reader import Reader
from tests.kit.log_reading import stored_lines
from tests.storage.stores import body, opened, row

LIVES = 6
PACE = CheckpointPace(every=20, restart=60, rest=10)  # so that kills find checkpoints running
ROOT = Path(__file__).parent.parent.parent


def entries(life: int, number: int) -> Entry:
    """One client's request: an event with a key, another without, as the parent can tell from its name."""
    name = f"{life}.{number}"
    return Entry("p", "toy", "track", 1, (row(name), EventRow(body(f"{name} keyless"))))


async def live(path: Path, life: int) -> None:
    """Append from eight clients until killed; each answer is printed only after it came."""
    with make(path).lock():
        engine = await SqliteEngine.open(make(path), LogSettings(max_memtable_keys=50), pace=PACE)
        storage = GroupCommit(engine)
        numbers = iter(range(1_000_000))

        async def client() -> None:
            for number in numbers:
                await storage.append(entries(life, number))
                os.write(1, f"{life}.{number}\n".encode())

        await asyncio.gather(*[client() for _ in range(8)])


def acknowledged(path: Path, life: int, seconds: float) -> list[str]:
    """Let one life run, kill it, and return what it had said yes to."""
    command = [sys.executable, "-m", "tests.storage.test_kill", str(path), str(life)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
        lines = (first + child.stdout.read()).decode().split("\n")
    # What comes after the last line's end was cut off by the kill.
    return lines[:-1]


async def test_what_was_acknowledged_outlives_a_kill_and_its_retry_is_a_duplicate(tmp_path: Path) -> None:
    moments = random.Random(20240229)
    promised: list[str] = []
    for life in range(LIVES):
        promised += acknowledged(tmp_path, life, moments.uniform(0.0, 0.4))

    lines = Counter(stored_lines(tmp_path))
    with Reader(find(tmp_path)) as reader:
        received = {str(each["verdict"]): each["count"] for each in reader.counters()}
    assert {lines[body(name)] for name in promised} | {lines[body(f"{name} keyless")] for name in promised} == {1}
    assert set(lines.values()) == {1}
    assert received == {"received": len(lines), "stored": len(lines)}
    # Nothing in halves: each request's two events are there, or neither.
    named = {line for line in lines if b"keyless" not in line}
    assert len(named) * 2 == len(lines)

    async with opened(tmp_path, max_memtable_keys=50) as (storage, _):
        again = await asyncio.gather(
            *[storage.append(Entry("p", "toy", "track", 1, (row(name),))) for name in promised]
        )
        assert again == [Appended(AppendStatus.NEW, duplicates=(0,))] * len(promised)


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), int(sys.argv[2])))
