"""Whatever process ends, however it ends: nothing that was acknowledged is lost, and the rest goes on or ends too."""

import asyncio
import os
import signal
import time
from pathlib import Path

from tests.faults.lives import complaints
from tests.kit.serving import Served, run
from tests.workers.crowd import crowd, family, gateway, gone, kill, more, stored, until


def holds_all(served: Served, acknowledged: set[str]) -> None:
    found = stored(served)
    assert acknowledged - set(found) == set()
    assert set(found.values()) == {1}
    assert served.cli("events", "count").strip() == str(len(found))


async def test_a_writer_that_is_killed_under_load_comes_back_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    with gateway(tmp_path / "data") as served:
        async with crowd(served) as clients:
            await more(clients, 200)
            for _ in range(2):
                writer = family(served.process.pid)["writer"]
                kill(writer)
                gone([writer])
                before = clients.statuses[503]
                assert not await clients.ready()
                await more(clients, 500, within=30)
                assert await clients.ready()
                assert clients.statuses[503] > before
        assert (set(clients.statuses), clients.errors, clients.retry_after) == ({204, 503}, 0, {"1"})
        holds_all(served, clients.yes)
        assert served.stop() == 0
    log = (tmp_path / "data.stderr").read_text()
    assert log.count("starting another") == 2
    assert "the writer (process" in log


async def test_an_http_worker_that_is_killed_under_load_comes_back_and_counts_on(tmp_path: Path) -> None:
    with gateway(tmp_path / "data") as served:
        async with crowd(served) as clients:
            await more(clients, 200)
            before = family(served.process.pid)
            counted = [await clients.metric("gateway_items_total", dialect="tranthor", verdict="stored")]
            kill(before["HTTP worker 1"])
            until(
                lambda: (
                    before["HTTP worker 1"] != family(served.process.pid).get("HTTP worker 1", before["HTTP worker 1"])
                )
            )
            for _ in range(20):
                counted.append(await clients.metric("gateway_items_total", dialect="tranthor", verdict="stored"))
                await asyncio.sleep(0.05)
            await more(clients, 500)
        after = family(served.process.pid)
        assert {name: after[name] == pid for name, pid in before.items()} == {
            "writer": True,
            "HTTP worker 1": False,
            "HTTP worker 2": True,
        }
        assert counted == sorted(counted)
        assert set(clients.statuses) == {204}
        assert clients.errors > 0
        holds_all(served, clients.yes)


async def test_children_of_a_main_process_that_is_killed_are_gone_at_once_and_the_next_start_works(
    tmp_path: Path,
) -> None:
    with gateway(tmp_path / "data") as served:
        async with crowd(served) as clients:
            await more(clients, 200)
            children = family(served.process.pid)
            kill(served.process.pid)
            served.process.wait()
            gone(children.values(), within=2)
        acknowledged = set(clients.yes)
    with gateway(tmp_path / "data") as served:
        async with crowd(served, clients=0) as clients:
            assert [await clients.send(name) for name in sorted(acknowledged)[:20]] == [204] * 20
        holds_all(served, acknowledged)


def test_no_other_gateway_starts_while_a_writer_without_a_main_process_lives(tmp_path: Path) -> None:
    with gateway(tmp_path / "data") as served:
        children = family(served.process.pid)
        os.kill(children["writer"], signal.SIGSTOP)
        kill(served.process.pid)
        served.process.wait()
        refused = run("serve", "--data", str(served.data), "--port", "0")
        assert (refused.returncode, "another gateway runs" in refused.stderr) == (1, True)
        os.kill(children["writer"], signal.SIGCONT)


def test_a_gateway_whose_writer_is_just_gone_can_be_stopped(tmp_path: Path) -> None:
    with gateway(tmp_path / "data") as served:
        for name in ("writer", "HTTP worker 2"):
            kill(family(served.process.pid)[name])
        began = time.monotonic()
        assert served.stop() == 0
        assert time.monotonic() - began < 5


async def test_sigterm_under_load_ends_well_with_all_that_was_acknowledged_stored(tmp_path: Path) -> None:
    with gateway(tmp_path / "data") as served:
        async with crowd(served) as clients:
            await more(clients, 500)
            began = time.monotonic()
            assert await asyncio.to_thread(served.stop) == 0
            assert time.monotonic() - began < 5
            statuses = dict(clients.statuses)
        assert set(statuses) == {204}
        assert complaints(tmp_path / "data") == []
        left = {path.name for path in served.data.iterdir()}
        assert left & {"events.db-wal", "gateway.sock", "writer.sock", "control.sock"} == set()
        holds_all(served, clients.yes)
