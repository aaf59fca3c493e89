"""How a command writes: without a server and its settings it forgets nothing; beside one it goes through it."""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from gateway.datadir import DataDir
from gateway.storage.contract import Entry, EventRow
from gateway.testing.engine.given.entries import key, outcomes_of
from gateway.workers.ipc_codec import SCHEMA_FINGERPRINT, Hello, encode
from gateway.workers.ipc_socket import bound
from tests.cli.test_quarantine import batch, quarantined, track
from tests.kit.serving import run
from tests.storage.stores import Clock, opened

DAY = 86_400.0


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A directory of a server that keeps requests for a week and ids for a month, and has done so for ten days."""
    now, clock = time.time_ns() // 1_000_000, Clock()
    async with opened(tmp_path / "data", window=30 * DAY, clock=clock, keep_raw=7 * DAY) as (storage, _):
        for number in range(3):
            rows = (EventRow(b'{"message_id":"%d"}' % number, key(number)),)
            await storage.append(Entry("shop", "tranthor", "batch", now - 5000, rows, raw_compressed=b"packed"))
        items = tuple(quarantined(index, name) for index, name in enumerate("ab"))
        request = batch(track("a"), track("b"))
        await storage.append(
            Entry("shop", "tranthor", "batch", now, quarantined=items, request=request, outcomes=outcomes_of((), items))
        )
        clock.now += 10 * DAY
        await storage.append(
            Entry("shop", "tranthor", "batch", now, (EventRow(b'{"message_id":"3"}'),), raw_compressed=b"packed")
        )
    return tmp_path / "data"


def kept(data: Path) -> tuple[int, int]:
    """Return how many requests are kept beside their events, and the age of the ids' generation in days."""
    with closing(sqlite3.connect(data / "events.db")) as file:
        (raws,) = file.execute("SELECT count(*) FROM raws").fetchone()
        (elapsed,) = file.execute("SELECT value FROM meta WHERE name = 'elapsed'").fetchone()
    return raws, round(elapsed / DAY)


@pytest.mark.parametrize("command", [("replay", "1"), ("drop", "1", "2")])
def test_a_command_without_the_servers_settings_forgets_neither_requests_nor_ids(
    data: Path, command: tuple[str, ...]
) -> None:
    assert kept(data) == (4, 10)
    done = run("quarantine", *command, "--data", str(data))
    assert (done.returncode, "1 stored" in done.stdout or "2 dropped" in done.stderr) == (0, True)
    assert kept(data) == (4, 10)


async def test_beside_a_server_of_another_version_a_command_says_so_in_one_line(data: Path) -> None:
    with DataDir(data).lock(), bound(data) as listener:
        listener.setblocking(False)
        running = asyncio.create_task(asyncio.to_thread(run, "quarantine", "drop", "1", "--data", str(data)))
        connection, _ = await asyncio.get_running_loop().sock_accept(listener)
        connection.send(encode(Hello("9.9.9 python3.99 0123")))
        done = await running
        connection.close()
    versions = f"another version ('9.9.9 python3.99 0123', and this is {SCHEMA_FINGERPRINT!r})"
    line = f"Error: the running gateway is {versions}; restart it, or use its own version's command\n"
    assert (done.returncode, done.stderr) == (1, line)


@pytest.mark.parametrize("leftover", [True, False])
def test_a_directory_that_is_held_without_a_server_is_told_at_once_in_one_line(data: Path, leftover: bool) -> None:
    with DataDir(data).lock():
        with bound(data):
            if leftover:
                (data / "gateway.sock").rename(data / "aside")
        if leftover:
            (data / "aside").rename(data / "gateway.sock")
        done = run("quarantine", "drop", "1", "--data", str(data))
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: another gateway runs on {data} (process ")
    assert done.stderr.count("\n") == 1
