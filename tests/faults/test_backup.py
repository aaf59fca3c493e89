"""A backup that is killed is whole or not there, one beside a busy gateway loses nothing, a full disk is one line."""

import asyncio
import contextlib
import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from gateway.storage.engines import open_store
from gateway.storage.store import StoreSettings
from gateway.testing.engine.given.filled import contents, entry, events, fill
from tests.cli.test_storage import progress
from tests.faults.figures import Figure
from tests.faults.kills import balances
from tests.faults.lives import watched
from tests.faults.oracle import GOOD, Oracle, faults_in, file_of
from tests.faults.traffic import keys_of, kinds
from tests.kit import forked
from tests.kit.forked import Command
from tests.kit.serving import PATIENCE, run
from tests.operate.backup.making import new_sqlite

MANY = 12_000
"""Events of several batches."""
POLL = 0.002
LOADED = 200
"""Events that are acknowledged before a backup is begun."""
SHARES = (0.0, 0.5, 1.0)
"""How much of a backup is written when it is killed."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with some of everything and many events."""

    async def filled(folder: Path) -> None:
        store = open_store(await new_sqlite(folder))
        await fill(store)
        async with store.storage(StoreSettings()) as storage:
            for start in range(1000, 1000 + MANY, 1000):
                await storage.append(entry(events(*range(start, start + 1000))))

    folder = tmp_path_factory.mktemp("store") / "data"
    asyncio.run(filled(folder))
    return folder


@contextlib.contextmanager
def started(folder: Path, *arguments: str) -> Iterator[Command]:
    """Start a command, and kill it at the end of the block."""
    process = forked.start(arguments, os.environ, folder)
    try:
        yield process
    finally:
        process.kill()
        process.wait(PATIENCE)


def members_of(data: Path) -> int:
    """How many members of a backup are restored."""
    with contextlib.suppress(sqlite3.Error):  # there may be no file or no table yet
        return int(json.loads(asyncio.run(progress(f"sqlite:{data}"))).get("member", 0))
    return 0


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def test_a_backup_that_is_killed_is_whole_or_not_there(data: Path, tmp_path: Path, figure: Figure) -> None:
    file, part = tmp_path / "a.tar", tmp_path / "a.tar.part"
    done = run("backup", "create", "--to", str(tmp_path / "first.tar"), "--data", str(data))
    assert (done.returncode, done.stderr) == (0, "")
    whole = size_of(tmp_path / "first.tar")
    outcomes = []
    for share in SHARES:
        with started(tmp_path, "backup", "create", "--to", str(file), "--data", str(data)) as process:
            while size_of(part) < share * whole * 0.98 and process.poll() is None:
                time.sleep(POLL)
        if file.exists():
            assert run("backup", "verify", str(file)).returncode == 0
            file.unlink()
        outcomes.append("left over" if part.exists() else "nothing or whole")
    done = run("backup", "create", "--to", str(file), "--data", str(data))
    assert (done.returncode, done.stderr, part.exists()) == (0, "", False)
    assert run("backup", "verify", str(file)).returncode == 0
    assert "left over" in outcomes
    figure(f"killed at {SHARES} of {whole} bytes: {outcomes}")


def test_a_restore_that_is_killed_goes_on(data: Path, tmp_path: Path) -> None:
    file, new = tmp_path / "a.tar", tmp_path / "new"
    assert run("backup", "create", "--to", str(file), "--data", str(data), "--rejected").returncode == 0
    for least in (1, 8):
        with started(tmp_path, "backup", "restore", str(file), "--data", str(new)) as process:
            while members_of(new) < least:
                assert process.poll() is None
                time.sleep(POLL)
        served = run("serve", "--data", str(new), "--port", "0", "--no-console")
        assert (served.returncode, served.stderr.count("\n")) == (1, 1)
        assert "is not finished; run `gateway backup restore` again to its end" in served.stderr
    done = run("backup", "restore", str(file), "--data", str(new))
    assert (done.returncode, done.stderr) == (0, "")
    assert asyncio.run(contents(open_store(f"sqlite:{new}"))) == asyncio.run(contents(open_store(f"sqlite:{data}")))


@pytest.mark.parametrize(("flag", "told"), [("full", "No space left on device"), ("eio", "Input/output error")])
def test_a_disk_that_cannot_keep_a_backup_is_one_line_and_nothing_stays(
    data: Path, tmp_path: Path, shim: Callable[[str], Path], flag: str, told: str
) -> None:
    folder, control = tmp_path / "disk", tmp_path / "control"
    folder.mkdir()
    control.mkdir()
    (control / flag).touch()
    env = {"LD_PRELOAD": str(shim("disk")), "FAULTS_ROOT": str(folder), "FAULTS_CONTROL": str(control)}
    done = run("backup", "create", "--to", str(folder / "a.tar"), "--data", str(data), env=env)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"Error: {told}: {folder / 'a.tar'}\n")
    assert list(folder.iterdir()) == []
    assert str(folder / "a.tar") not in [each.name for each in asyncio.run(open_store(f"sqlite:{data}").backups())]


def test_a_backup_beside_a_busy_gateway_has_all_that_was_acknowledged_before(tmp_path: Path, figure: Figure) -> None:
    file, new = tmp_path / "a.tar", tmp_path / "new"
    with watched(tmp_path / "data") as served:
        oracle = Oracle(kinds(keys_of(served.greeting)), random.Random(16))
        before = asyncio.run(_loaded(oracle, served.url, tmp_path / "data", file))
        assert served.stop() == 0
    done = run("backup", "restore", str(file), "--data", str(new))
    assert (done.returncode, done.stderr) == (0, "")
    later = (oracle.acknowledged - before.acknowledged) | oracle.unsure
    judge = Oracle((), random.Random(), acknowledged=before.acknowledged, quarantined=before.quarantined, unsure=later)
    with watched(new) as again:
        exported = again.cli("events", "export", "--format", "jsonl")
        kept = again.cli("quarantine", "list", "--format", "jsonl")
        figures = judge.verdict(exported, kept, partial(file_of, new))
        assert again.stop() == 0
    figure(f"{figures}, {len(later)} more acknowledged later")
    assert oracle.broken == judge.broken == []
    assert faults_in(figures) == GOOD
    assert figures["acknowledged"] >= LOADED
    assert balances(new)


async def _loaded(oracle: Oracle, url: str, data: Path, file: Path) -> Oracle:
    """Make a backup under load; return what was acknowledged before it began."""
    stop, is_loaded = asyncio.Event(), asyncio.Event()
    oracle.ever = lambda _sent, _answer: is_loaded.set() if len(oracle.acknowledged) >= LOADED else None
    load = asyncio.create_task(oracle.load(url, stop))
    await is_loaded.wait()
    before = Oracle((), oracle.chance, acknowledged=set(oracle.acknowledged), quarantined=set(oracle.quarantined))
    command = [sys.executable, "-m", "gateway", "backup", "create", "--to", str(file), "--data", str(data)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said = await process.communicate()
    assert process.returncode == 0, said
    stop.set()
    await load
    await oracle.settle(url)
    return before
