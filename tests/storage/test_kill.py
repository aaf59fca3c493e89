"""Killing a writer at any moment loses nothing that it answered for, SQLite's also while it takes checkpoints."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from gateway.datadir import find, make
from gateway.storage.contract import Appended, AppendStatus, Entry
from gateway.storage.group_commit import GroupCommit
from gateway.storage.sqlite.checkpointer import CheckpointPace
from gateway.storage.sqlite.engine import SqliteEngine
from gateway.storage.sqlite.log_settings import LogSettings
from gateway.storage.sqlite.read.reader import Reader
from gateway.testing.check import Check
from gateway.testing.engine.given.entries import row
from gateway.testing.engine.killed_writer import append_until_killed
from gateway.testing.engine.under_test import postgresql, sqlite
from gateway.testing.engine.upkeep import kill
from gateway.testing.engine.upkeep.kill import lived, whole
from tests.kit.log_reading import stored_lines
from tests.storage.stores import opened

LIVES = 6
PACE = CheckpointPace(every=20, restart=60, rest=10)  # so that kills find checkpoints running


async def live(path: Path, life: str) -> None:
    """Append until killed."""
    with make(path).lock():
        engine = await SqliteEngine.open(make(path), LogSettings(max_memtable_keys=50), pace=PACE)
        await append_until_killed(GroupCommit(engine), life)


async def test_what_was_acknowledged_outlives_a_kill_and_its_retry_is_a_duplicate(tmp_path: Path) -> None:
    promised = lived(LIVES, lambda life: ("tests.storage.test_kill", str(tmp_path), str(life)))

    lines = stored_lines(tmp_path)
    assert len(promised) >= LIVES
    whole([json.loads(line)["name"] for line in lines], promised)
    with Reader(find(tmp_path)) as reader:
        received = {str(each["verdict"]): each["count"] for each in reader.counters()}
    assert received == {"received": len(lines), "stored": len(lines)}

    async with opened(tmp_path, max_memtable_keys=50) as (storage, _):
        again = await asyncio.gather(
            *[storage.append(Entry("p", "toy", "track", 1, (row(name),))) for name in promised]
        )
        assert again == [Appended(AppendStatus.NEW, duplicates=(0,))] * len(promised)


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(check, id=f"{each}-{check}")
        for each in (sqlite(), postgresql())
        for check in kill.FAMILY.checks(each)
    ],
)
def test_an_engine_outlives_a_kill(check: Check) -> None:
    check.run()


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), sys.argv[2]))
