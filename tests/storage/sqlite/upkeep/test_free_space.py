"""What deleting leaves free goes back to the disk: while a gateway serves, or by `gateway storage compact`."""

import asyncio
import contextlib
import json
import logging
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import attrs
import pytest

from gateway.datadir import make
from gateway.storage.contract import Entry, EventRow
from gateway.storage.sqlite.tables import upgrade
from gateway.storage.sqlite.upkeep.free_space import LEAST_BYTES, FreeSpace
from gateway.testing.engine.given.entries import body, entry, row
from tests.kit.log_reading import stored_lines
from tests.kit.serving import run
from tests.storage.stores import Clock, opened

START = 1_700_000_000_000
PATIENCE = 20.0
CHUNK = 200_000  # bytes of an event that is a chunk by itself
MEGABYTE = 1 << 20
EVENTS = 120


def large(number: int, seconds: float) -> Entry:
    return attrs.evolve(
        entry(EventRow(body(f"{number}-" + "x" * CHUNK), row(number).key)), received_at=START + int(seconds * 1000)
    )


def size(path: Path) -> int:
    """How much of the disk events.db takes."""
    found = (path / "events.db").stat()
    assert found.st_blocks * 512 >= found.st_size // 2
    return found.st_size


def test_free_pages_are_an_excess_only_above_a_tenth_and_sixteen_megabytes() -> None:
    least = LEAST_BYTES // 4096

    def excess(pages: int, free: int) -> int:
        return FreeSpace(pages=pages, free=free, page_size=4096, is_incremental=True).excess

    assert [excess(least, least), excess(5000, least + 2), excess(10**6, 10**5), excess(10**6, 10**5 + 2)] == [
        *(0, least // 2 + 2, 0, 50_002)
    ]


async def test_the_file_becomes_smaller_while_the_gateway_serves_and_nothing_is_lost(tmp_path: Path) -> None:
    path, kills, chance = tmp_path / "data", list[tuple[Path, int]](), random.Random(1)
    clock = Clock(START / 1000)
    async with opened(path, keep_events=100.0, wall_clock=clock, tidy_every=0.01, queue_bytes=1 << 30) as (
        storage,
        engine,
    ):
        await asyncio.gather(*[storage.append(large(number, number / 1000)) for number in range(EVENTS)])
        await engine._checkpointer.checkpoint()
        full = size(path)
        clock.now += 1000
        deadline, number = time.monotonic() + PATIENCE, EVENTS
        while size(path) > full // 2:
            await storage.append(attrs.evolve(entry(row(number)), received_at=START + 1_000_000))
            number += 1
            await asyncio.sleep(0.01)
            if len(kills) < 3 and chance.random() < 0.2:
                kills.append((tmp_path / f"killed {len(kills)}", number))
                shutil.copytree(path, kills[-1][0], ignore=shutil.ignore_patterns("*-shm"))
            assert time.monotonic() < deadline
        with closing(sqlite3.connect(path / "events.db")) as file:
            left = FreeSpace.of(file)
    assert full > 23 * MEGABYTE
    assert left.free_bytes <= LEAST_BYTES
    assert stored_lines(path)[-(number - EVENTS) :] == [body(each) for each in range(EVENTS, number)]
    assert len(kills) > 0
    for killed, until in kills:
        with closing(sqlite3.connect(killed / "events.db")) as file:
            assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        async with opened(killed):
            pass
        assert stored_lines(killed)[-(until - EVENTS) :] == [body(each) for each in range(EVENTS, until)]


def locked(path: Path) -> str:
    """Return what the command says while a gateway has the directory."""
    with make(path).lock():
        done = run("storage", "compact", "--data", str(path))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    return done.stderr


async def of_an_older_gateway(path: Path, events: int) -> list[bytes]:
    """Make a data directory as an older gateway did: most of its file is free, and stays so. Return the events."""
    directory = make(path)
    directory.events.touch(mode=0o600)
    with closing(sqlite3.connect(directory.events, isolation_level=None)) as file:
        file.execute("PRAGMA journal_mode = WAL").fetchall()
        upgrade(file, directory.events)
    async with opened(path) as (storage, _):
        for number in range(events):
            await storage.append(large(number, 0))
    with closing(sqlite3.connect(directory.events, isolation_level=None)) as file:
        file.execute("DELETE FROM log WHERE last <= ?", (events - 3,))
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return stored_lines(path)


async def test_a_file_of_an_older_gateway_is_compacted_once_and_shrinks_by_itself_from_then_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "data"
    left = await of_an_older_gateway(path, EVENTS)
    before = size(path)
    with caplog.at_level(logging.WARNING):
        async with opened(path):
            assert (await asyncio.to_thread(locked, path)).startswith("Error: ")
    assert [record.getMessage() for record in caplog.records] == [
        f"{path / 'events.db'} has 22 MB of free space, which only new events use, because an older gateway made it; "
        "stop the server and run `gateway storage compact` to give it back"
    ]
    told = json.loads(run("storage", "info", "--data", str(path), "--json").stdout)
    assert told["free_bytes"] > 20 * MEGABYTE
    done = run("storage", "compact", "--data", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{path}: events.db had {before:,} bytes and has {size(path):,}\n"
    assert size(path) < 2 * MEGABYTE
    assert (stored_lines(path), oct((path / "events.db").stat().st_mode)) == (left, "0o100600")
    assert sorted(each.name for each in path.iterdir() if "etilqs" in each.name) == []
    with closing(sqlite3.connect(path / "events.db")) as file:
        assert FreeSpace.of(file).is_incremental
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert json.loads(run("storage", "info", "--data", str(path), "--json").stdout)["free_bytes"] == 0
    async with opened(path) as (storage, _):
        assert (await storage.append(entry(row(EVENTS - 1), row("new")))).duplicates == (0,)


COMPACT = (
    "import sys, pathlib; from gateway.datadir import find; from gateway.storage.sqlite.upkeep.compact import compact; "
    "print(flush=True); compact(find(pathlib.Path(sys.argv[1])))"
)


def killed_after(path: Path, seconds: float) -> None:
    """Begin to compact a directory, and kill that after a time."""
    process = subprocess.Popen([sys.executable, "-c", COMPACT, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.kill()
    process.wait()
    process.stdout.close()


async def test_a_kill_while_a_file_is_compacted_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "data"
    left = await of_an_older_gateway(path, 30)
    for milliseconds in (1, 4, 12):
        await asyncio.to_thread(killed_after, path, milliseconds / 1000)
        with closing(sqlite3.connect(path / "events.db")) as file:
            assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert stored_lines(path) == left
    assert run("storage", "compact", "--data", str(path)).returncode == 0
    assert stored_lines(path) == left


def test_there_is_one_line_where_nothing_can_be_compacted(tmp_path: Path) -> None:
    missing = run("storage", "compact", "--data", str(tmp_path / "missing"))
    database = run("storage", "compact", "--storage", "postgresql://gateway:secret@localhost/gateway")
    assert (missing.returncode, missing.stderr.count("\n"), database.returncode) == (1, 1, 1)
    assert "secret" not in database.stderr
    assert database.stderr.endswith(" needs no compacting: PostgreSQL's autovacuum does it\n")
