"""Servers on a database: several HTTP workers that commit by themselves, several servers, commands beside them."""

import json
import os
import re
import signal
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from gateway.ingest.registry import discover
from tests.kit.serving import PATIENCE, Served, run, serving


def track(message_id: str, event: str | None = "Signed Up") -> dict[str, Any]:
    named = {} if event is None else {"event": event}
    return {"type": "track", "messageId": message_id, "userId": "u-1", **named}


def send(served: Served, key: str, *items: Mapping[str, Any]) -> requests.Response:
    url, headers = f"{served.url}/api/public/apps/batch", {"Authorization": f"Basic {key}"}
    return requests.post(url, json={"batch": items}, headers=headers, timeout=PATIENCE)


def ids(served: Served) -> list[str]:
    return [event["message_id"] for event in served.events()]


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory in which nothing may appear; the servers' logs are beside it."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    yield tmp_path
    assert os.listdir(tmp_path / "here") == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_keeps_everything_in_the_database(empty: Path, database: str, workers: str) -> None:
    with serving(empty / "first", "--workers", workers, storage=database) as served:
        key = served.add_key("tranthor", "write_key", project="shop")
        answers = [send(served, key, track("a"), track("b", None)), send(served, key, track("a"), track("c"))]
        assert [answer.status_code for answer in answers] == [204, 204]
        receipt = json.loads(served.cli("receipt", answers[0].headers["X-Gateway-Receipt"]))
        assert [(each["verdict"], each["message_id"]) for each in receipt["items"]] == [
            ("stored", "a"),
            ("quarantined", "b"),
        ]
        first = receipt["items"][0]["position"]
        exported = [
            json.loads(line) for line in run("events", "export", "--with-position", *served.place).stdout.splitlines()
        ]
        assert [(type(each["position"]), each["message_id"]) for each in exported] == [(str, "a"), (str, "c")]
        assert exported[0]["position"] == first
        after = run("events", "export", "--after", first, *served.place)
        assert [json.loads(line)["message_id"] for line in after.stdout.splitlines()] == ["c"]
        assert after.stderr == f"last position: {exported[1]['position']}\n"
        token = served.cli("admin-token").strip()
        served.wait_for_token(token)
        metrics = requests.get(f"{served.url}/-/metrics", timeout=PATIENCE).text
        assert 'gateway_project_items_total{dialect="tranthor",project="shop",verdict="stored"} 2.0' in metrics
        assert "\ngateway_commit_events_sum 2.0\n" in metrics
        assert 'seconds_count{dialect="tranthor",route="batch",status="204"} 2.0' in metrics
        names = {"gateway"} if workers == "1" else {"HTTP worker 1", "HTTP worker 2"}
        assert set(re.findall(r'^process_open_fds{process="([^"]+)"', metrics, re.MULTILINE)) == names
        assert requests.get(f"{served.url}/-/ready", timeout=PATIENCE).text == "ready\n"
        assert served.stop() == 0
    with serving(empty / "second", storage=database) as again:
        assert ids(again) == ["a", "c"]
        assert "First start" not in again.greeting


def test_two_servers_share_keys_ids_and_events_and_each_outlives_the_other(empty: Path, database: str) -> None:
    with serving(empty / "first", storage=database) as first, serving(empty / "second", storage=database) as second:
        key = first.add_key("tranthor", "write_key", project="shop")
        token = second.cli("admin-token").strip()
        for each in (first, second):
            each.wait_for_token(token)
        assert send(first, key, track("a")).status_code == 204
        assert send(second, key, track("a"), track("b")).status_code == 204
        first.process.send_signal(signal.SIGKILL)
        first.process.wait(PATIENCE)
        assert send(second, key, track("b"), track("c")).status_code == 204
        assert sorted(ids(second)) == ["a", "b", "c"]


def test_two_servers_that_start_at_once_on_an_empty_database_make_one_set_of_first_keys(
    empty: Path, database: str
) -> None:
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        starts = [serving(empty / name, storage=database) for name in ("first", "second")]
        both = list(pool.map(stack.enter_context, starts))
        assert sorted("Admin token" in each.greeting for each in both) == [False, True]
        listed = [json.loads(line)["dialect"] for line in both[0].cli("keys", "list", "--json").splitlines()]
        assert sorted(listed) == [dialect.name for dialect in discover()]


def test_commands_replay_drop_and_retranslate_beside_a_server(empty: Path, database: str) -> None:
    kept = {"GATEWAY_KEEP_RAW_DAYS": "1"}
    with serving(empty / "served", storage=database, env=kept) as served:
        key = served.add_key("tranthor", "write_key", project="shop")
        assert send(served, key, track("a"), track("b", None), track("c", None)).status_code == 204
        rows = [json.loads(line) for line in served.cli("quarantine", "list").splitlines()]
        assert [row["message_id"] for row in rows] == ["b", "c"]
        dropped = run("quarantine", "drop", str(rows[0]["id"]), *served.place)
        assert (dropped.returncode, dropped.stderr) == (0, "1 dropped\n")
        assert served.cli("quarantine", "replay", "--all").splitlines() == [
            "0 stored, 0 already stored, 1 failed again",
            f"{rows[1]['id']}: /event is missing",
        ]
        again = run("events", "retranslate", *served.place)
        assert (again.returncode, again.stdout, again.stderr) == (0, "", "1 events looked at, 0 rewritten\n")
