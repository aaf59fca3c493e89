"""`gateway import`: beside live traffic and without a server, twice, killed, dry, and what it says."""

import gzip
import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from gateway.datadir import EmptyDataDir
from gateway.storage.engines import open_store
from tests.idempotency.endpoints import KEYS
from tests.kit.log_reading import events_of, stored_lines
from tests.kit.serving import GATEWAY, PATIENCE, add_key, place_of, run, serving

BATCH = "/api/public/apps/batch"
OPTIONS = ("--project", "shop", "--dialect", "tranthor", "--route", "batch")
THEN = "2024-03-01T12:00:00.000Z"


def track(name: str | None, event: str | None = "paid", **more: object) -> dict[str, object]:
    named = {} if name is None else {"messageId": name}
    happened = {} if event is None else {"event": event}
    return {"type": "track", "userId": "u-1", "timestamp": THEN, **named, **happened, **more}


MANY = 4000


def written(folder: Path, *items: object) -> str:
    file = folder / "export.jsonl"
    file.write_text("".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in items))
    return str(file)


def told(url: str | Path, *arguments: str) -> tuple[int, str, str]:
    done = run("import", *arguments, *OPTIONS, *place_of(url))
    return done.returncode, done.stdout, done.stderr


def stored(url: str) -> list[dict[str, Any]]:
    return [json.loads(line) for _, line in events_of(open_store(url))]


def lines(url: str, *arguments: str) -> list[Any]:
    return [json.loads(line) for line in run(*arguments, *place_of(url)).stdout.splitlines()]


@pytest.fixture
def store(url: str) -> str:
    """The URL of a store that knows a project."""
    add_key(url, "tranthor", "write_key", KEYS["tranthor"])
    return url


def test_history_is_stored_once_with_its_times_and_bad_items_are_quarantined_with_file_and_line(
    store: str, tmp_path: Path
) -> None:
    file = written(tmp_path, track("a"), "", track("a"), track("b", None), "not json", track("c"))
    said = "export.jsonl:4: /event is missing\nexport.jsonl:5: the item is not valid JSON\n"
    assert told(store, file, "--dry-run") == (
        0,
        "it would be: 2 stored, 1 already stored, 2 quarantined\n",
        said,
    )
    assert (lines(store, "events", "export"), lines(store, "quarantine", "list")) == ([], [])
    assert told(store, file) == (0, "2 stored, 1 already stored, 2 quarantined\n", said)
    events = stored(store)
    assert [(each["message_id"], each["timestamp"], each["project"]) for each in events] == [
        ("a", THEN, "shop"),
        ("c", THEN, "shop"),
    ]
    assert all(each["received_at"] > "2026" for each in events)
    held = lines(store, "quarantine", "list")
    assert [(each["route"], each["payload"]) for each in held] == [("batch", track("b", None)), ("batch", "not json")]
    shown = [json.loads(run("quarantine", "show", str(each["id"]), *place_of(store)).stdout) for each in held]
    assert [each["request"]["headers"] for each in shown] == [
        {"x-gateway-import": "export.jsonl:4"},
        {"x-gateway-import": "export.jsonl:5"},
    ]
    assert told(store, file, "--dry-run")[1] == "it would be: 0 stored, 5 already stored, 0 quarantined\n"
    assert told(store, file) == (0, "0 stored, 5 already stored, 0 quarantined\n", "")
    assert stored(store) == events


def test_what_came_live_is_stored_once_whichever_was_first_and_a_server_counts_what_is_imported(
    url: str, tmp_path: Path
) -> None:
    add_key(url, "tranthor", "write_key", KEYS["tranthor"])
    with serving(tmp_path / "unused", storage=url) as served:

        def send(*items: object) -> None:
            answer = requests.post(
                f"{served.url}{BATCH}",
                json={"batch": items},
                headers={"Authorization": f"Basic {KEYS['tranthor']}"},
                timeout=PATIENCE,
            )
            assert answer.status_code == 204

        send(track("live"), track("both"))
        file = written(tmp_path, track("both"), track("old"), track("bad", None))
        summary = "1 stored, 1 already stored, 1 quarantined\n"
        assert told(url, file, "--dry-run")[:2] == (0, f"it would be: {summary}")
        assert told(url, file)[:2] == (0, summary)
        send(track("old"), track("new"))
        assert [each["message_id"] for each in stored(url)] == ["live", "both", "old", "new"]
        metrics = requests.get(f"{served.url}/-/metrics", headers=_token(served.greeting), timeout=PATIENCE).text
    counted = {
        line.split('verdict="')[1].split('"')[0]: float(line.split()[-1])
        for line in metrics.splitlines()
        if line.startswith('gateway_items_total{dialect="tranthor"')
    }
    live = {"stored": 3.0, "duplicate": 1.0, "quarantined": 0.0, "filtered": 0.0, "rejected": 0.0}
    imported = {"stored": 1.0, "duplicate": 1.0, "quarantined": 1.0} if url.startswith("sqlite") else {}
    assert counted == {verdict: count + imported.get(verdict, 0) for verdict, count in live.items()}
    total = {"received": 7, "stored": 4, "duplicate": 2, "quarantined": 1}
    [row] = lines(url, "outcomes", "--json")
    assert {name: row[name] for name in total} == total


def _token(greeting: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {next(word for word in greeting.split() if word.startswith('admin_'))}"}


def test_equal_lines_without_an_id_are_events_each_and_the_same_ones_again(store: str, tmp_path: Path) -> None:
    add_key(store, "browsee", "api_key", "k" * 20)
    file = tmp_path / "old.csv.gz"
    rows = 'who,what,when\nu-1,paid,1709294400\nu-1,paid,1709294400\n"",,\n'
    file.write_bytes(gzip.compress(rows.encode()))
    (tmp_path / "map.toml").write_text(
        '[fields]\nwho = "userId"\nwhat = "event"\nwhen = { to = "timestamp", type = "seconds" }\n'
    )
    command = ("import", str(file), "--project", "shop", "--dialect", "browsee", "--route", "track")
    for said in ("2 stored, 0 already stored", "0 stored, 2 already stored"):
        done = run(*command, "--map", str(tmp_path / "map.toml"), *place_of(store))
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{said}, 0 quarantined\n", "")
    events = stored(store)
    assert len({each["message_id"] for each in events}) == 2
    assert [(each["user_id"], each["name"], each["timestamp"]) for each in events] == [("u-1", "paid", THEN)] * 2


def test_an_item_that_was_replayed_is_not_imported_again(store: str, tmp_path: Path) -> None:
    """It has no id but that of its line."""
    add_key(store, "browsee", "api_key", "k" * 20)
    (tmp_path / "gateway.toml").write_text("[dialects.browsee]\nstringify_ids = true\n")
    config = ("--config", str(tmp_path / "gateway.toml"))
    file = written(tmp_path, {"userId": 7, "event": "paid"})
    command = ("import", file, "--project", "shop", "--dialect", "browsee", "--route", "track", *place_of(store))
    assert run(*command).stdout == "0 stored, 0 already stored, 1 quarantined\n"
    [held] = lines(store, "quarantine", "list")
    replayed = run("quarantine", "replay", str(held["id"]), *config, *place_of(store)).stdout
    assert replayed == "1 stored, 0 already stored, 0 failed again\n"
    assert run(*command, *config).stdout == "0 stored, 1 already stored, 0 quarantined\n"
    [event] = stored(store)
    assert (event["user_id"], event["message_id"]) == ("7", held["message_id"])


def test_an_imported_person_is_erased_and_not_imported_again(store: str, tmp_path: Path) -> None:
    file = written(tmp_path, track("a"), track("b", userId="u-2"))
    assert told(store, file)[1] == "2 stored, 0 already stored, 0 quarantined\n"
    done = run("erase", "--project", "shop", "--user-id", "u-1", "--json", *place_of(store))
    assert json.loads(done.stdout)["events"] == 1
    assert told(store, file)[1] == "0 stored, 2 already stored, 0 quarantined\n"
    assert [each["user_id"] for each in stored(store)] == ["u-2"]


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_an_import_that_was_broken_off_goes_on_without_doubling(tmp_path: Path, end: signal.Signals) -> None:
    add_key(data := tmp_path / "data", "tranthor", "write_key", KEYS["tranthor"])
    file = written(tmp_path, *[track(f"m-{number}") for number in range(MANY)])
    importing = subprocess.Popen(
        [*GATEWAY, "import", file, *OPTIONS, "--data", str(data)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + PATIENCE
    while not _count(data):
        assert time.monotonic() < deadline
        assert importing.poll() is None
    importing.send_signal(end)
    importing.communicate(timeout=PATIENCE)
    first = _count(data)
    assert 0 < first < MANY
    assert told(data, file) == (0, f"{MANY - first} stored, {first} already stored, 0 quarantined\n", "")
    assert sorted(each["message_id"] for each in stored(f"sqlite:{data}")) == sorted(f"m-{n}" for n in range(MANY))


def _count(data: Path) -> int:
    try:
        return len(stored_lines(data))
    except EmptyDataDir:
        return 0


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--dialect", "tranthr"), 1, "there is no dialect 'tranthr'; did you mean tranthor?"),
        (("--project", "shp"), 1, "there is no project 'shp'; did you mean shop?"),
        (("--route", "batsh"), 1, "there is no route of tranthor 'batsh'; did you mean batch?"),
        (("--map", "no.toml"), 1, "No such file or directory: no.toml"),
    ],
)
def test_a_wrong_name_is_one_line(tmp_path: Path, options: tuple[str, ...], code: int, said: str) -> None:
    add_key(data := tmp_path / "data", "tranthor", "write_key", KEYS["tranthor"])
    done = run("import", written(tmp_path, track("a")), *OPTIONS, *options, "--data", str(data))
    assert (done.returncode, done.stdout, done.stderr) == (code, "", f"Error: {said}\n")


def test_a_file_that_breaks_off_keeps_what_came_before_and_says_so(tmp_path: Path) -> None:
    add_key(data := tmp_path / "data", "tranthor", "write_key", KEYS["tranthor"])
    file = tmp_path / "cut.json"
    file.write_text(json.dumps([track("a"), track("b")])[:-20])
    code, out, err = told(data, str(file))
    assert (code, out) == (1, "1 stored, 0 already stored, 0 quarantined\n")
    assert err.startswith("Error: cut.json: element 2: not JSON: ")
    assert err.count("\n") == 1


def test_a_har_needs_no_route_and_several_hosts_are_asked_for(tmp_path: Path) -> None:
    add_key(data := tmp_path / "data", "tranthor", "write_key", KEYS["tranthor"])

    def entry(host: str, name: str) -> dict[str, object]:
        secret = {"name": "Authorization", "value": "Basic trn_secret"}
        body = json.dumps({"batch": [track(name), track("bad", None)]})
        request = {"method": "POST", "url": f"https://{host}{BATCH}", "headers": [secret], "postData": {"text": body}}
        return {"startedDateTime": THEN, "request": request}

    file = tmp_path / "traffic.har"
    file.write_text(json.dumps({"log": {"entries": [entry("old.example", "a"), entry("other.example", "b")]}}))
    command = ("import", str(file), "--project", "shop", "--dialect", "tranthor", "--data", str(data))
    assert run(*command).stderr == (
        "Error: requests to several hosts have such paths; give --host, one of old.example, other.example\n"
    )
    done = run(*command, "--host", "old.example")
    assert (done.returncode, done.stdout) == (
        0,
        "1 stored, 0 already stored, 1 quarantined, 1 requests passed over\n",
    )
    assert [each["message_id"] for each in stored(f"sqlite:{data}")] == ["a"]
    kept = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())
    assert b"trn_secret" not in kept
    assert "trn_secret" not in run("quarantine", "show", "1", "--data", str(data)).stdout
