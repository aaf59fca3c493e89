"""`gateway storage`: info, check and move, as the command that an operator runs."""

import asyncio
import contextlib
import json
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
import requests

from gateway.storage.engines import open_store
from gateway.storage.store import Store, StoreSettings
from gateway.testing.engine.given.filled import contents, entry, events, fill
from tests.kit.postgres.cluster import PASSWORD
from tests.kit.serving import GATEWAY, PATIENCE, Served, run, serving

MANY = 9000
"""Events of several batches."""


def moving(source: str, target: str) -> "subprocess.Popen[str]":
    arguments = ["storage", "move", "--from", source, "--to", target]
    return subprocess.Popen([*GATEWAY, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


async def fill_much(store: Store) -> None:
    await fill(store)
    async with store.storage(StoreSettings()) as storage:
        for start in range(1000, 1000 + MANY, 500):
            await storage.append(entry(events(*range(start, start + 500))))


@pytest.fixture(params=["to PostgreSQL", "to SQLite"])
def ways(request: pytest.FixtureRequest, tmp_path: Path, prepared: str, database: str) -> tuple[str, str]:
    """The URLs of a store that is prepared, and of one that does not exist yet."""
    if request.param == "to PostgreSQL":
        (tmp_path / "old").mkdir()
        found = f"sqlite:{tmp_path / 'old'}", database
    else:
        found = prepared, f"sqlite:{tmp_path / 'new'}"
    asyncio.run(open_store(found[0]).prepare())
    return found


def test_a_move_that_is_killed_goes_on_and_neither_doubles_nor_loses(ways: tuple[str, str]) -> None:
    source, target = map(open_store, ways)
    asyncio.run(fill_much(source))
    for events_moved in (1, MANY // 2, MANY):
        with moving(*ways) as process:
            asyncio.run(moved_so_far(ways[1], events_moved, process))
            process.kill()
    done = run("storage", "move", "--from", ways[0], "--to", ways[1])
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{57 + MANY} events" in done.stdout
    assert asyncio.run(contents(target)) == asyncio.run(contents(source))


async def moved_so_far(url: str, least: int, process: "subprocess.Popen[str]") -> None:
    """Return once so many events are moved; the move must not have ended before."""
    while True:
        assert process.poll() is None
        with contextlib.suppress(sqlite3.Error, asyncpg.PostgresError):  # there may be no tables yet
            if json.loads(await progress(url)).get("events", -1) >= least:
                return


async def progress(url: str) -> str:
    """Return what a store has of the progress of a move into it."""
    if url.startswith("sqlite:"):
        path = Path(url.removeprefix("sqlite:")) / "events.db"
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as file:
            [(found,)] = file.execute("SELECT value FROM meta WHERE name = 'move'").fetchall() or [("{}",)]
        return str(found)
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("SELECT progress FROM gateway.moves") or "{}"
    finally:
        await connection.close()


@contextlib.contextmanager
def traffic(served: Served, key: str) -> Iterator[list[str]]:
    """Send events one by one during the block; yield the ids of those that were acknowledged."""
    acknowledged: list[str] = []
    stopping = threading.Event()

    def send() -> None:
        for number in range(1 << 30):
            if stopping.is_set():
                return
            with contextlib.suppress(requests.RequestException):
                if track(served, key, f"live-{number}").ok:
                    acknowledged.append(f"live-{number}")

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield acknowledged
    finally:
        stopping.set()
        thread.join()


def track(served: Served, key: str, message_id: str, **headers: str) -> requests.Response:
    item = {"type": "track", "messageId": message_id, "userId": "u-1", "event": "Signed Up"}
    named = {"Authorization": f"Basic {key}"} | {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"{served.url}/api/public/apps/batch"
    return requests.post(url, json={"batch": [item]}, headers=named, timeout=PATIENCE)


def test_a_gateway_moves_to_a_database_while_it_serves(tmp_path: Path, database: str) -> None:
    data = tmp_path / "data"
    with serving(data) as served:
        key = served.add_key("tranthor", "write_key", project="shop")
        token = served.cli("admin-token").strip()
        first = track(served, key, "a", Idempotency_Key="k-1")
        assert first.status_code == 204
        with traffic(served, key) as acknowledged, moving(f"sqlite:{data}", database) as process:
            assert process.stderr is not None
            said = process.stderr.readline()
            assert said.endswith(f"events are moved; stop all gateways on sqlite:{data} now\n")
            assert served.stop() == 0
            out, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode, err) == (0, "")
    assert PASSWORD not in out + said
    assert out.endswith(f"start the gateway with: gateway serve --storage {open_store(database).name}\n")
    with serving(tmp_path / "there", storage=database) as served:
        assert {each["message_id"] for each in served.events()} == {"a", *acknowledged}
        served.wait_for_token(token)
        again = track(served, key, "a", Idempotency_Key="k-1")
        assert (again.status_code, again.headers["X-Gateway-Receipt"]) == (204, first.headers["X-Gateway-Receipt"])
        assert track(served, key, acknowledged[0]).status_code == 204
        assert len(served.events()) == 1 + len(acknowledged)
        assert run("events", "show", "1", *served.place).returncode in (0, 2)  # 2 until there is such a command
    done = run("storage", "move", "--from", f"sqlite:{data}", "--to", database)
    assert (done.returncode, "was moved before; nothing was changed" in done.stdout) == (0, True)


def test_info_tells_what_a_store_is_and_holds(ways: tuple[str, str]) -> None:
    asyncio.run(fill(open_store(ways[0])))
    done = run("storage", "info", "--storage", ways[0], "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert (told["events"], told["projects"], told["gateways"]) == (57, ["other", "shop"], [])
    assert told["engine"].startswith("SQLite" if told["name"].startswith("/") else "PostgreSQL ")
    assert told["bytes"] >= sum(told["parts"].values()) > 0
    shown = run("storage", "info", "--storage", ways[0])
    assert (shown.returncode, PASSWORD in shown.stdout, "57" in shown.stdout) == (0, False, True)


def test_check_finds_nothing_wrong_with_a_whole_store(ways: tuple[str, str]) -> None:
    store = open_store(ways[0])
    asyncio.run(fill(store))
    done = run("storage", "check", "--storage", ways[0])
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"{store.name}: 57 events read, nothing is wrong\n"


def test_check_names_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    store = open_store(f"sqlite:{tmp_path / 'old'}")
    asyncio.run(store.prepare())
    asyncio.run(fill(store))
    with contextlib.closing(sqlite3.connect(tmp_path / "old" / "events.db")) as file, file:
        file.execute("UPDATE log SET lines = substr(lines, 2) WHERE last = 3")
        file.execute("UPDATE quarantined_requests SET items = x'00'")
        file.execute("UPDATE counters SET count = 3 WHERE project = 'other' AND verdict = 'stored'")
    done = run("storage", "check", "--storage", f"sqlite:{tmp_path / 'old'}")
    problems = done.stdout.splitlines()
    assert [line.split(":")[0] for line in problems] == [
        "event 3 cannot be read",
        "counters of other, toy",
        "counters of other, toy",
        "quarantine",
    ]
    assert (done.returncode, done.stderr) == (1, f"Error: 4 problems in {tmp_path / 'old'}\n")
