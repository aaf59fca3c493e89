"""Checkpoints beside the commits: the write-ahead log stays bounded, and nothing is lost, whatever becomes of them."""

import asyncio
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from gateway.datadir import make
from gateway.storage.contract import AppendStatus, EventRow
from gateway.storage.group_commit import GroupCommit
from gateway.storage.sqlite.checkpointer import CheckpointPace
from gateway.storage.sqlite.engine import SqliteEngine
from gateway.testing.engine.given.entries import body, entry, row
from tests.storage.stores import opened, stored

ROOT = Path(__file__).parents[3]
PACE = CheckpointPace(every=50, restart=150, rest=20)
PAGE = 24 + 4096
SALT = slice(16, 24)
# SQLite locks this byte of events.db-shm for a checkpoint, see https://www.sqlite.org/walformat.html
LOCK = "import fcntl,sys; f=open(sys.argv[1],'r+b'); fcntl.lockf(f,fcntl.LOCK_EX,1,121); print(flush=True); input()"


def wal(path: Path) -> bytes:
    return (path / "events.db-wal").read_bytes()


def pages(path: Path) -> int:
    """How long the write-ahead log has ever been."""
    return (path / "events.db-wal").stat().st_size // PAGE


def names(path: Path) -> list[str]:
    return sorted(file.name for file in path.iterdir())


def large(name: object) -> EventRow:
    """A row of some five pages."""
    return EventRow(body(f"{name}" + "x" * 20_000), row(name).key)


async def append(storage: GroupCommit, engine: SqliteEngine, *numbers: int) -> None:
    """Append a group for each number, each after the checkpoint that the one before may have begun."""
    for number in numbers:
        await storage.append(entry(large(number)))
        await engine._checkpointer.finish()


async def test_no_commit_runs_a_checkpoint(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, engine):
        assert await engine.run(lambda c: c.execute("PRAGMA wal_autocheckpoint").fetchone()) == (0,)


async def test_a_checkpoint_is_synced(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, engine):
        assert await engine._checkpointer._thread.run(lambda c: c.execute("PRAGMA synchronous").fetchone()) == (2,)


async def test_the_write_ahead_log_begins_again_and_again_however_much_is_stored(tmp_path: Path) -> None:
    salts, longest = set(), 0
    async with opened(tmp_path, pace=PACE) as (storage, engine):
        for number in range(200):
            await append(storage, engine, number)
            salts.add(wal(tmp_path)[SALT])
            longest = max(longest, pages(tmp_path))

    # The last checkpoint before it begins again may be due just below `restart`.
    assert (len(salts) > 5, longest < PACE.restart + PACE.every + 20) == (True, True)
    assert stored(tmp_path) == [large(number).body for number in range(200)]


async def test_it_begins_again_while_commits_never_pause(tmp_path: Path) -> None:
    numbers = iter(range(400))
    salts = set()
    async with opened(tmp_path, pace=PACE) as (storage, _):

        async def client() -> None:
            for number in numbers:
                await storage.append(entry(large(number)))
                salts.add(wal(tmp_path)[SALT])

        await asyncio.gather(*[client() for _ in range(4)])

    assert len(salts) > 1
    assert sorted(stored(tmp_path)) == sorted(large(number).body for number in range(400))


async def test_a_reader_that_stays_keeps_the_log_from_beginning_again_until_it_leaves(tmp_path: Path) -> None:
    async with opened(tmp_path, pace=PACE) as (storage, engine):
        await append(storage, engine, 0, 1)
        with closing(sqlite3.connect(tmp_path / "events.db", isolation_level=None)) as reader:
            reader.execute("BEGIN")
            assert reader.execute("SELECT count(*) FROM events").fetchone() == (2,)
            before = wal(tmp_path)[SALT]
            await append(storage, engine, *range(2, 100))
            held = wal(tmp_path)[SALT] == before
            grown = pages(tmp_path) > 2 * PACE.restart
            assert reader.execute("SELECT count(*) FROM events").fetchone() == (2,)
        await append(storage, engine, *range(100, 120))

        assert (held, grown, wal(tmp_path)[SALT] == before) == (True, True, False)


async def test_a_checkpoint_that_fails_is_told_once_and_commits_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(tmp_path, pace=PACE) as (storage, engine):
        with locked(tmp_path / "events.db-shm"):
            await append(storage, engine, *range(100))
            grown = pages(tmp_path) > 2 * PACE.restart
        before = wal(tmp_path)[SALT]
        await append(storage, engine, *range(100, 120))
        assert (grown, wal(tmp_path)[SALT] == before) == (True, False)

    assert [record.getMessage() for record in caplog.records] == [
        "events.db-wal cannot be copied into events.db, and grows until it can: another process runs a checkpoint",
        "events.db-wal can be copied into events.db again",
    ]
    assert stored(tmp_path) == [large(number).body for number in range(120)]


async def test_the_log_does_not_begin_again_before_what_a_failed_sync_may_have_lost_is_copied_again(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, pace=PACE) as (storage, engine):
        await append(storage, engine, *range(5))
        unsynced, other = os.pipe()
        with closing(sqlite3.connect(tmp_path / "events.db", isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM events").fetchone()  # the checkpoint stops here
            await append(storage, engine, *range(5, 9))
            engine._checkpointer._file = unsynced
            await append(storage, engine, *range(9, 30))
        # SQLite's own syncs succeed from here on.
        before = wal(tmp_path)[SALT]
        await append(storage, engine, *range(30, 90))
        held = wal(tmp_path)[SALT] == before
        was_synced = engine._checkpointer.is_synced
        engine._checkpointer._file = engine._file
        os.close(unsynced)
        os.close(other)
        await append(storage, engine, *range(90, 150))

        assert (held, was_synced) == (True, False)
        assert (wal(tmp_path)[SALT] == before, engine._checkpointer.is_synced) == (False, True)

    assert stored(tmp_path) == [large(number).body for number in range(150)]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Have another process hold the lock that a checkpoint takes."""
    with subprocess.Popen(
        [sys.executable, "-c", LOCK, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
        process.communicate(b"\n")


async def test_a_commit_is_acknowledged_where_the_write_ahead_log_cannot_be_looked_at_after_it(tmp_path: Path) -> None:
    unnamed = EventRow(body("unnamed"))
    async with opened(tmp_path, pace=PACE) as (storage, engine):
        unreadable = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        os.dup2(unreadable, engine._checkpointer._wal, inheritable=False)
        os.close(unreadable)
        answers = await asyncio.gather(storage.append(entry(unnamed)), storage.append(entry(unnamed)))
        await engine._checkpointer.finish()

    assert [answer.status for answer in answers] == [AppendStatus.NEW, AppendStatus.NEW]
    assert stored(tmp_path) == [unnamed.body, unnamed.body]


async def test_a_clean_stop_copies_everything_and_removes_the_log(tmp_path: Path) -> None:
    async with opened(tmp_path, pace=PACE) as (storage, _):
        await asyncio.gather(*[storage.append(entry(large(number))) for number in range(50)])

    assert names(tmp_path) == ["events.db"]


async def live(path: Path, life: int) -> None:
    """Append until a checkpoint runs, tell each number that was acknowledged, and end at some moment of it."""
    with make(path).lock():
        engine = await SqliteEngine.open(make(path), pace=PACE)
        storage = GroupCommit(engine)
        numbers = iter(range(life * 1000, life * 1000 + 1000))

        async def client() -> None:
            for number in numbers:
                await storage.append(entry(large(number)))
                os.write(1, f"{number}\n".encode())

        async def end() -> None:
            while engine._checkpointer._task is None:  # noqa: ASYNC110
                await asyncio.sleep(0)
            await asyncio.sleep(random.Random(life).uniform(0, 0.01))
            os._exit(0)

        await asyncio.gather(end(), *[client() for _ in range(4)])


def test_an_end_in_the_middle_of_a_checkpoint_loses_nothing(tmp_path: Path) -> None:
    promised: list[bytes] = []
    for life in range(8):
        command = [sys.executable, "-m", "tests.storage.sqlite.test_checkpointer", str(tmp_path), str(life)]
        said = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
        promised += [large(number).body for number in said.decode().split()]

    found = stored(tmp_path)
    assert len(promised) > 8
    assert (set(promised) - set(found), len(found)) == (set(), len(set(found)))


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), int(sys.argv[2])))
