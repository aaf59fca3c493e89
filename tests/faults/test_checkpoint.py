"""A checkpoint whose sync fails, then a power cut: what the kernel had lost of it is copied again before."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path, PurePosixPath

from gateway.datadir import make
from gateway.storage.contract import EventRow
from gateway.storage.group_commit import GroupCommit
from gateway.storage.sqlite.checkpointer import CheckpointPace
from gateway.storage.sqlite.engine import SqliteEngine
from gateway.testing.engine.given.entries import body, entry, row
from tests.faults.disk import SYNC_FAILED, WRITE, Disk, records
from tests.storage.stores import stored

ROOT = Path(__file__).parents[2]
EVENTS = 120


async def live(path: Path, flag: Path) -> None:
    """Have a checkpoint copy a part of the WAL and its sync fail, go on until the WAL began again, and end at once."""
    with make(path).lock():
        engine = await SqliteEngine.open(make(path), pace=CheckpointPace(every=50, restart=200, rest=20))
        storage = GroupCommit(engine)
        numbers = iter(range(EVENTS))

        async def append(until: Callable[[], bool]) -> None:
            while not until():
                await storage.append(entry(large(next(numbers))))
                await engine._checkpointer.finish()

        await append(lambda: _size(path) > 40 * 4096)
        with closing(sqlite3.connect(path / "events.db", isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM events").fetchone()  # the checkpoint stops here
            fail(flag)
            await append(lambda: not engine._checkpointer.is_synced)
        fail(flag, is_failing=False)
        salt = _salt(path)
        await append(lambda: _salt(path) != salt)
        for number in numbers:
            await storage.append(entry(large(number)))
        os._exit(0)


def large(number: int) -> EventRow:
    """A row with a page of its own, which no later commit writes again."""
    return EventRow(body(f"{number}" + "x" * 6000), row(number).key)


def fail(flag: Path, *, is_failing: bool = True) -> None:
    """Have the syncs fail that the flag names, or succeed again."""
    if is_failing:
        flag.touch()
    else:
        flag.unlink()


def _size(path: Path) -> int:
    return (path / "events.db-wal").stat().st_size


def _salt(path: Path) -> bytes:
    return (path / "events.db-wal").read_bytes()[16:24]


def test_a_power_cut_after_a_checkpoint_whose_sync_failed_loses_nothing(
    tmp_path: Path, shim: Callable[[str], Path]
) -> None:
    data, control, journal = tmp_path / "data", tmp_path / "control", tmp_path / "journal"
    data.mkdir(mode=0o700)
    control.mkdir()
    command = [sys.executable, "-m", "tests.faults.test_checkpoint", str(data), str(control / "eio-events.db")]
    environment = {"FAULTS_ROOT": str(data), "FAULTS_JOURNAL": str(journal), "FAULTS_CONTROL": str(control)}
    subprocess.run(command, cwd=ROOT, env={**os.environ, **environment, "LD_PRELOAD": str(shim("disk"))}, check=True)

    disk = Disk(PurePosixPath(data))
    done = list(records(journal.read_bytes()))
    for record in done:
        disk.do(record)
    disk.image(tmp_path / "image")

    lost = [i for i, record in enumerate(done) if record.op == SYNC_FAILED]
    assert [done[i].path for i in lost] == [f"{data}/events.db"]
    assert any(record.op == WRITE and record.path == f"{data}/events.db" for record in done[: lost[0]])
    assert stored(tmp_path / "image") == [large(number).body for number in range(EVENTS)]


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), Path(sys.argv[2])))
