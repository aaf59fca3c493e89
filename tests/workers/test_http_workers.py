"""Several HTTP workers are one gateway: what one knows the others know, and nothing is stored twice."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.kit.serving import PATIENCE, TAKEN_UP, Served, run
from tests.workers.crowd import crowd, family, gateway, stored


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with gateway(tmp_path_factory.mktemp("workers") / "data") as found:
        yield found


def test_there_are_as_many_http_workers_as_configured_and_one_writer(served: Served) -> None:
    assert set(family(served.process.pid)) == {"writer", "HTTP worker 1", "HTTP worker 2"}


def test_each_process_is_told_of_under_its_name(served: Served) -> None:
    text = requests.get(f"{served.url}/-/metrics", timeout=PATIENCE).text
    there = {"writer", "HTTP worker 1", "HTTP worker 2"}
    for name in ("process_open_fds", "process_resident_memory_bytes", "python_gc_collections_total"):
        assert set(re.findall(rf'^{name}{{.*process="([^"]+)"', text, re.MULTILINE)) == there


async def test_events_through_several_workers_are_stored_once_and_counted_by_all(served: Served) -> None:
    async with crowd(served, clients=0) as clients:
        before = await clients.metric("gateway_items_total", dialect="tranthor", verdict="stored")
        committed = await clients.metric("gateway_commit_events_sum")
        statuses = await asyncio.gather(*[clients.send(f"once {number}") for number in range(60)])
        assert set(statuses) == {204}
        await asyncio.sleep(0.3)
        counted = [await clients.metric("gateway_items_total", dialect="tranthor", verdict="stored") for _ in range(8)]
        # The commits are the writer's, and the requests' times those of two workers.
        assert await clients.metric("gateway_commit_events_sum") == committed + 60
        timed = {"dialect": "tranthor", "route": "batch", "status": "204"}
        assert await clients.metric("gateway_request_duration_seconds_count", **timed) >= 60
    assert counted == [before + 60] * 8
    found = stored(served)
    assert [found[f"once {number}"] for number in range(60)] == [1] * 60


async def test_an_id_that_is_sent_to_several_workers_at_once_is_stored_once(served: Served) -> None:
    async with crowd(served, clients=0) as clients:
        statuses = await asyncio.gather(*[clients.send("twin", f"alone {number}") for number in range(40)])
    assert set(statuses) == {204}
    found = stored(served)
    assert (found["twin"], sum(found[f"alone {number}"] for number in range(40))) == (1, 40)


async def test_a_key_that_is_added_works_on_every_worker_within_two_seconds(served: Served) -> None:
    made = json.loads(
        served.cli("keys", "add", "--dialect", "tranthor", "--kind", "write_key", "--json", "--project", "late")
    )
    await asyncio.sleep(TAKEN_UP)
    async with crowd(served, clients=0) as clients:
        headers = {"Authorization": f"Basic {made['value']}"}
        event = {"messageId": "late", "userId": "u", "event": "e"}
        url = f"{served.url}/api/public/apps/track"
        for _ in range(20):
            async with clients.session.post(url, json=event, headers=headers) as answer:
                assert answer.status == 204


async def test_a_rate_limit_holds_over_all_workers_together(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text("[limits.tranthor]\nrequests = 7\nseconds = 3600\n")
    with gateway(tmp_path / "data", "--config", str(tmp_path / "gateway.toml")) as limited:
        async with crowd(limited, clients=0) as clients:
            statuses = [await clients.send(f"limited {number}") for number in range(30)]
    assert statuses == [204] * 7 + [429] * 23


def test_a_second_gateway_on_the_directory_or_the_port_is_refused_in_one_line(served: Served, tmp_path: Path) -> None:
    port = served.url.rpartition(":")[2]
    for data in (served.data, tmp_path):
        done = run("serve", "--data", str(data), "--port", port, "--workers", "2")
        assert (done.returncode, len(done.stderr.splitlines()), done.stdout) == (1, 1, "")


def test_what_a_writer_cannot_open_is_told_in_one_line_and_nothing_is_left_running(tmp_path: Path) -> None:
    (tmp_path / "events.db").write_text("this is no database, but long enough to be looked at as one\n" * 100)
    done = run("serve", "--data", str(tmp_path), "--port", "0", "--workers", "2")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"Error: .*file is not a database\n", done.stderr)
