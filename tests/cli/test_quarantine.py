"""Held items at a person's hands: shown, replayed and dropped, with a server on the directory and without one."""

import asyncio
import json
import signal
import subprocess
import time
from pathlib import Path

import attrs
import pytest

from gateway.datadir import make
from gateway.dialect import Item
from gateway.ingest.ids import dedupe_key
from gateway.records.raw_request import RawRequest
from gateway.storage.contract import Entry, KeptRequest, QuarantinedItem
from gateway.storage.engines import open_store
from gateway.storage.read import export
from gateway.storage.store import StoreSettings
from gateway.testing.engine.given.entries import kept, outcomes_of
from tests.cli.lines import NOW, keep
from tests.kit.serving import GATEWAY, run, serving

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


def held(*items: dict[str, object]) -> Entry:
    found = tuple(quarantined(index, str(item["messageId"])) for index, item in enumerate(items))
    request, outcomes = batch(*items), outcomes_of((), found)
    return Entry("shop", "tranthor", "batch", NOW, quarantined=found, request=request, outcomes=outcomes)


def holding(place: Path | str, *items: dict[str, object]) -> None:
    keep(place, held(*items))


@attrs.frozen
class Place:
    """A store, and the options that name it."""

    url: str
    options: tuple[str, ...]

    def hold(self, *items: dict[str, object]) -> None:
        """Put one request's items into quarantine."""

        async def append() -> None:
            store = open_store(self.url)
            await store.prepare()
            async with store.storage(StoreSettings()) as storage:
                await storage.append(held(*items))

        asyncio.run(append())

    def events(self) -> list[tuple[int | str, dict[str, object]]]:
        """The events with their positions."""

        async def read() -> list[tuple[int | str, dict[str, object]]]:
            async with open_store(self.url).log() as log:
                return [(where, json.loads(line)) async for page in export(log) for where, line in page.events]

        return asyncio.run(read())

    def counts(self) -> dict[str, int]:
        """The counters, by verdict."""

        async def read() -> dict[str, int]:
            async with open_store(self.url).records() as records:
                return {verdict: count for _, _, verdict, count in await records.counters()}

        return asyncio.run(read())

    def told(self, *arguments: str) -> tuple[int, str, str]:
        return told(*arguments, *self.options)


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        data = make(tmp_path / "data").path
        return Place(f"sqlite:{data}", ("--data", str(data)))
    url = str(request.getfixturevalue("database"))
    return Place(url, ("--storage", url))


@pytest.fixture
def place(empty: Place) -> Place:
    empty.hold(track("a"), track("b", event=None), track("c"))
    return empty


def told(*arguments: str) -> tuple[int, str, str]:
    done = run(*arguments)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def data(tmp_path: Path) -> Path:
    holding(tmp_path / "data", track("a"), track("b", event=None), track("c"))
    return tmp_path / "data"


REPLAYED = "2 stored, 0 already stored, 1 failed again\n2: /event is missing\n"


def test_what_is_fit_today_is_stored_with_the_time_at_which_it_came_and_the_rest_stays(place: Place) -> None:
    assert place.told("quarantine", "replay", "--all") == (0, REPLAYED, "")
    events = [event for _, event in place.events()]
    assert [(event["message_id"], event["received_at"], event["project"]) for event in events] == [
        ("a", "2026-01-02T03:04:05.678Z", "shop"),
        ("c", "2026-01-02T03:04:05.678Z", "shop"),
    ]
    assert events[0]["context"] == {"locale": "de"}
    _, listed, _ = place.told("quarantine", "list")
    assert [json.loads(line)["message_id"] for line in listed.splitlines()] == ["b"]


def test_a_replay_may_be_said_again(place: Place) -> None:
    assert place.told("quarantine", "replay", "1")[:2] == (
        0,
        "1 stored, 0 already stored, 0 failed again\n",
    )
    [(position, _)] = place.events()
    gone = f"1: no longer in quarantine: stored at position {position}\n"
    expected = (0, "0 stored, 0 already stored, 0 failed again\n", gone)
    assert place.told("quarantine", "replay", "1") == expected
    assert len(place.events()) == 1


def test_beside_a_running_server_it_goes_through_it(place: Place, tmp_path: Path) -> None:
    with serving(tmp_path / "data", storage=place.url) as served:
        assert place.told("quarantine", "replay", "1", "3") == (
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
        assert place.counts() == {"received": 5, "stored": 2, "quarantined": 1, "duplicate": 2}
        code, out, err = place.told("quarantine", "drop", "2")
        assert (code, json.loads(out)["message_id"], err) == (0, "b", "1 dropped\n")
        assert place.told("quarantine", "list") == (0, "", "")
        assert served.stop() == 0
    assert list(tmp_path.glob("data/*sock*")) == []


def test_a_socket_that_lies_deep_is_reached(tmp_path: Path) -> None:
    data = tmp_path / ("d" * 60) / ("e" * 60)
    data.parent.mkdir()
    holding(data, track("a"))
    with serving(data):
        assert told("quarantine", "replay", "1", "--data", str(data))[1].startswith("1 stored")


def test_a_dropped_item_is_shown_and_gone(place: Place) -> None:
    code, out, err = place.told("quarantine", "drop", "2", "1")
    assert (code, [json.loads(line)["id"] for line in out.splitlines()], err) == (0, [2, 1], "2 dropped\n")
    gone = "1: no longer in quarantine: dropped\n"
    assert place.told("quarantine", "drop", "1") == (0, "", f"0 dropped\n{gone}")
    assert place.told("quarantine", "replay", "1")[2] == gone


def test_an_item_named_twice_is_meant_once(place: Place) -> None:
    code, out, err = place.told("quarantine", "drop", "2", "2")
    assert (code, out.count("\n"), err) == (0, 1, "1 dropped\n")
    assert place.told("quarantine", "replay", "1", "1") == (
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


def test_show_prints_the_request_too(place: Place) -> None:
    code, out, err = place.told("quarantine", "show", "2")
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
def test_a_number_that_was_never_given_is_told_in_one_line(command: str, place: Place) -> None:
    said = "Error: there is no quarantined item 9; see `gateway quarantine list`\n"
    assert place.told("quarantine", command, "9") == (1, "", said)


def test_replay_wants_to_be_told_what(data: Path) -> None:
    for wrong in ([], ["1", "--all"]):
        code, _, err = told("quarantine", "replay", *wrong, "--data", str(data))
        assert (code, err.splitlines()[-1]) == (2, "Error: give the ids of the items to replay, or --all")


@pytest.mark.parametrize("beside_a_server", [False, True])
def test_a_replay_that_is_killed_and_said_again_stores_each_item_once(
    empty: Place, tmp_path: Path, beside_a_server: bool
) -> None:
    names = [f"m-{number}" for number in range(200)]
    empty.hold(*[track(name) for name in names])
    command = ("quarantine", "replay", "--all", *empty.options)

    def killed(seconds: float) -> None:
        with subprocess.Popen([*GATEWAY, *command], stdout=subprocess.DEVNULL) as process:
            before = len(empty.events())
            while process.poll() is None and len(empty.events()) == before:
                time.sleep(0.005)
            time.sleep(seconds)
            process.send_signal(signal.SIGKILL)

    def lives() -> None:
        for seconds in (0.0, 0.01):
            killed(seconds)
        assert told(*command)[0] == 0

    if beside_a_server:
        with serving(tmp_path / "data", storage=empty.url if empty.options[0] == "--storage" else None):
            lives()
    else:
        lives()
    assert sorted(str(event["message_id"]) for _, event in empty.events()) == sorted(names)
