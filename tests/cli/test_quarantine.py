"""Held items at a person's hands: shown, replayed and dropped, with a server on the directory and without one."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from gateway.datadir import find
from gateway.dialect import Item
from gateway.ingest.ids import dedupe_key
from gateway.records.raw_request import RawRequest
from gateway.storage.contract import Entry, KeptRequest, QuarantinedItem
from gateway.storage.sqlite.read.reader import Reader
from tests.cli.lines import NOW, keep
from tests.kit.log_reading import stored_lines
from tests.kit.serving import GATEWAY, run, serving
from tests.storage.stores import kept, outcomes_of

FAULT = b'[{"code":"required","pointer":"/event","detail":{}}]'


def quarantined(index: int, name: str) -> QuarantinedItem:
    """An item of which an older dialect, it seems, could make nothing."""
    key = dedupe_key("shop", "tranthor", None, Item("message", "", None, name))
    return QuarantinedItem(name, FAULT, b'{"n":1}', key, index)


def batch(*items: object) -> KeptRequest:
    body = json.dumps({"batch": items, "context": {"locale": "de"}}).encode()
    headers = b'{"authorization":"Basic [redacted]","host":"h"}'
    return kept(RawRequest("POST", "/api/public/apps/batch", b"{}", headers, body, "192.0.2.1"))


def track(name: str, event: str | None = "Signed Up") -> dict[str, object]:
    named = {} if event is None else {"event": event}
    return {"type": "track", "messageId": name, "userId": "u-1", **named}


def holding(data: Path, *items: dict[str, object]) -> None:
    found = tuple(quarantined(index, str(item["messageId"])) for index, item in enumerate(items))
    keep(
        data,
        Entry(
            "shop", "tranthor", "batch", NOW, quarantined=found, request=batch(*items), outcomes=outcomes_of((), found)
        ),
    )


def told(*arguments: str) -> tuple[int, str, str]:
    done = run(*arguments)
    return done.returncode, done.stdout, done.stderr


def stored(data: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in stored_lines(data)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    holding(tmp_path / "data", track("a"), track("b", event=None), track("c"))
    return tmp_path / "data"


REPLAYED = "2 stored, 0 already stored, 1 failed again\n2: /event is missing\n"


def test_what_is_fit_today_is_stored_with_the_time_at_which_it_came_and_the_rest_stays(data: Path) -> None:
    assert told("quarantine", "replay", "--all", "--data", str(data)) == (0, REPLAYED, "")
    events = stored(data)
    assert [(event["message_id"], event["received_at"], event["project"]) for event in events] == [
        ("a", "2026-01-02T03:04:05.678Z", "shop"),
        ("c", "2026-01-02T03:04:05.678Z", "shop"),
    ]
    assert events[0]["context"] == {"locale": "de"}
    listed = run("quarantine", "list", "--data", str(data)).stdout
    assert [json.loads(line)["message_id"] for line in listed.splitlines()] == ["b"]


def test_a_replay_may_be_said_again(data: Path) -> None:
    assert told("quarantine", "replay", "1", "--data", str(data))[:2] == (
        0,
        "1 stored, 0 already stored, 0 failed again\n",
    )
    expected = (0, "0 stored, 0 already stored, 0 failed again\n", "1: no longer in quarantine: stored at position 1\n")
    assert told("quarantine", "replay", "1", "--data", str(data)) == expected
    assert len(stored(data)) == 1


def test_beside_a_running_server_it_goes_through_it(data: Path) -> None:
    with serving(data) as served:
        assert told("quarantine", "replay", "1", "3", "--data", str(data)) == (
            0,
            "2 stored, 0 already stored, 0 failed again\n",
            "",
        )
        assert [event["message_id"] for event in served.events()] == ["a", "c"]
        value = served.add_key("tranthor", "write_key", project="shop")
        done = subprocess.run(
            [
                *("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"{served.url}/api/public/apps/batch"),
                *("-H", f"Authorization: Basic {value}", "-d", json.dumps({"batch": [track("a"), track("b", None)]})),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        assert (done.stdout, len(served.events())) == ("204", 2)
        with Reader(find(data)) as reader:
            counts = {str(each["verdict"]): each["count"] for each in reader.counters()}
        assert counts == {"received": 5, "stored": 2, "quarantined": 1, "duplicate": 2}
        code, out, err = told("quarantine", "drop", "2", "--data", str(data))
        assert (code, json.loads(out)["message_id"], err) == (0, "b", "1 dropped\n")
        assert told("quarantine", "list", "--data", str(data)) == (0, "", "")
        assert served.stop() == 0
    assert sorted(file.name for file in data.iterdir() if "sock" in file.name) == []


def test_a_socket_that_lies_deep_is_reached(tmp_path: Path) -> None:
    data = tmp_path / ("d" * 60) / ("e" * 60)
    data.parent.mkdir()
    holding(data, track("a"))
    with serving(data):
        assert told("quarantine", "replay", "1", "--data", str(data))[1].startswith("1 stored")


def test_a_dropped_item_is_shown_and_gone(data: Path) -> None:
    code, out, err = told("quarantine", "drop", "2", "1", "--data", str(data))
    assert (code, [json.loads(line)["id"] for line in out.splitlines()], err) == (0, [2, 1], "2 dropped\n")
    gone = "1: no longer in quarantine: dropped\n"
    assert told("quarantine", "drop", "1", "--data", str(data)) == (0, "", f"0 dropped\n{gone}")
    assert told("quarantine", "replay", "1", "--data", str(data))[2] == gone


def test_an_item_named_twice_is_meant_once(data: Path) -> None:
    code, out, err = told("quarantine", "drop", "2", "2", "--data", str(data))
    assert (code, out.count("\n"), err) == (0, 1, "1 dropped\n")
    assert told("quarantine", "replay", "1", "1", "--data", str(data)) == (
        0,
        "1 stored, 0 already stored, 0 failed again\n",
        "",
    )


@pytest.mark.parametrize(
    "command", [("show",), ("show", "--rejected"), ("replay",), ("replay", "--rejected"), ("drop",)]
)
def test_a_number_that_no_item_can_have_is_a_wrong_use(command: tuple[str, ...], data: Path) -> None:
    for number in ("0", str(1 << 63), "x"):
        code, out, err = told("quarantine", *command, number, "--data", str(data))
        assert (code, out, err.startswith("Usage: "), "Traceback" in err) == (2, "", True, False)


def test_show_prints_the_request_too(data: Path) -> None:
    code, out, err = told("quarantine", "show", "2", "--data", str(data))
    shown = json.loads(out)
    request = shown.pop("request")
    body = json.loads(request.pop("body"))
    assert (code, err, body["batch"][1]) == (0, "", track("b", None))
    assert request == {
        "method": "POST",
        "path": "/api/public/apps/batch",
        "query": {},
        "headers": {"authorization": "Basic [redacted]", "host": "h"},
        "client_ip": "192.0.2.1",
    }
    assert shown == {
        "id": 2,
        "message_id": "b",
        "received_at": NOW,
        "project": "shop",
        "dialect": "tranthor",
        "route": "batch",
        "verdict": "quarantined",
        "item": 1,
        "receipt": shown["receipt"],
        "faults": [{"code": "required", "pointer": "/event", "detail": {}, "sentence": "/event is missing"}],
        "payload": {"n": 1},
    }


@pytest.mark.parametrize("command", ["show", "replay", "drop"])
def test_a_number_that_was_never_given_is_told_in_one_line(command: str, data: Path) -> None:
    said = "Error: there is no quarantined item 9; see `gateway quarantine list`\n"
    assert told("quarantine", command, "9", "--data", str(data)) == (1, "", said)


def test_replay_wants_to_be_told_what(data: Path) -> None:
    for wrong in ([], ["1", "--all"]):
        code, _, err = told("quarantine", "replay", *wrong, "--data", str(data))
        assert (code, err.splitlines()[-1]) == (2, "Error: give the ids of the items to replay, or --all")


@pytest.mark.parametrize("beside_a_server", [False, True])
def test_a_replay_that_is_killed_and_said_again_stores_each_item_once(tmp_path: Path, beside_a_server: bool) -> None:
    names = [f"m-{number}" for number in range(400)]
    holding(tmp_path, *[track(name) for name in names])
    command = ("quarantine", "replay", "--all", "--data", str(tmp_path))

    def killed(seconds: float) -> None:
        with subprocess.Popen([*GATEWAY, *command], stdout=subprocess.DEVNULL) as process:
            before = len(stored(tmp_path))
            while process.poll() is None and len(stored(tmp_path)) == before:
                time.sleep(0.005)
            time.sleep(seconds)
            process.send_signal(signal.SIGKILL)

    def lives() -> None:
        for seconds in (0.0, 0.01, 0.02):
            killed(seconds)
        assert told(*command)[0] == 0

    if beside_a_server:
        with serving(tmp_path):
            lives()
    else:
        lives()
    assert sorted(str(event["message_id"]) for event in stored(tmp_path)) == sorted(names)
