"""Today's gateway takes over a data directory of commit 014cd87: nothing of it is lost, and nothing told otherwise.

`make_fixture.py` says how the directory was made. `expected-014cd87.json` has what it was sent, what it answered, and
what that version's own commands said of the directory.
"""

import hashlib
import json
import re
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests

from gateway.dialect import from_millis
from gateway.storage.sqlite.tables import VERSION
from tests.kit.serving import PATIENCE, Served, run, serving

HERE = Path(__file__).parent
DATA = HERE / "data-014cd87"
EXPECTED = json.loads((HERE / "expected-014cd87.json").read_text("utf-8"))
CONFIGURED = ("--config", str(HERE / "gateway.toml"))
ACCEPTED, REFUSED = EXPECTED["accepted"], EXPECTED["refused"]

# What that version called refused is rejected today: the verdict in counts and receipts, the option of `quarantine`,
# the file.
RENAMED = {"refused": "rejected"}


# A connection's address and user agent are an event's only if a browser sent it.
_ADDRESS = {"pointer": "/context/ip", "stored": "127.0.0.1"}
_AGENT = {
    "pointer": "/context/user_agent",
    "stored": "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
}
# A batch's `sentAt` has its place in the event.
_SENT = "2026-01-02T03:04:05.678Z"
_SENT_AT = {"pointer": "/sent_at", "stored": None, "today": _SENT}
TRANSLATED_OTHERWISE = {
    "e-1": [_ADDRESS],
    "e-2": [_AGENT, _ADDRESS],
    "e-3": [
        {"pointer": "/properties/title", "stored": "Cart"},
        _AGENT,
        _ADDRESS,
        {"pointer": "/context/page/search", "today": "?utm_source=mail"},
        {"pointer": "/context/page/title", "today": "Cart"},
    ],
    **{number: [_ADDRESS] for number in ("e-4", "e-6", "e-7", "e-8", "9cdecf05-178b-8e1e-8011-5dc61788cfd1")},
    **{
        number: [_SENT_AT, {"pointer": "/context/tranthor", "stored": {"batch": {"sentAt": _SENT}}}]
        for number in ("t-4", "t-5", "t-6")
    },
    "t-7": [_SENT_AT, {"pointer": "/context/tranthor/batch", "stored": {"sentAt": _SENT}}],
}


def facts(told: Any) -> Any:
    """Return what a version tells without its sentences: those are made as they are shown, and may become better."""
    if isinstance(told, dict):
        return {name: facts(value) for name, value in told.items() if name != "sentence"}
    return [facts(each) for each in told] if isinstance(told, list) else told


def renamed(told: Any) -> Any:
    """Return what the older version told in today's words."""
    if isinstance(told, dict):
        return {RENAMED.get(name, name): renamed(value) for name, value in told.items()}
    if isinstance(told, list):
        return [renamed(each) for each in told]
    return RENAMED.get(told, told) if isinstance(told, str) else told


def credentials() -> list[Any]:
    """Return what the older version told of its keys; today's has two facts under better names too, and more facts."""
    unused = {"last_used": None, "last_used_at": None, "requests_today": 0, "rejected_today": 0}

    def times(each: dict[str, Any]) -> dict[str, str | None]:
        found = {name: each[f"{name}_at"] for name in ("created", "revoked", "expires")}
        return {name: None if millis is None else from_millis(millis) for name, millis in found.items()}

    return [
        {
            **each,
            "masked": each["hint"],
            "status": each["standing"],
            **times(each),
            **unused,
            "label": "",
            "rotated": each["expires_at"] is not None,
        }
        for each in EXPECTED["credentials"]
    ]


def kept_aside(was: str) -> Any:
    """Return what the older version kept aside; of a rejected request it did not keep all that is kept today."""
    unknown = dict.fromkeys(("credential_id", "origin", "request_id")) if was == "refused" else {}
    return [{**each, **unknown} for each in renamed(facts(EXPECTED["kept_aside"][was]))]


def lines(printed: str) -> list[Any]:
    return [facts(json.loads(line)) for line in printed.splitlines()]


def copied(folder: Path) -> Path:
    return Path(shutil.copytree(DATA, folder / "data"))


def left_by_a_kill(folder: Path) -> Path:
    """Return a copy of which the last write to refused.db lies in its -wal alone, as where that version was killed."""
    data = copied(folder)
    file = data / "refused.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        statuses = connection.execute("SELECT status, id FROM refused").fetchall()
        connection.execute("UPDATE refused SET status = 0")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        connection.executemany("UPDATE refused SET status = ? WHERE id = ?", statuses)
        aside = [Path(shutil.copy(each, folder)) for each in data.glob("refused.db*") if each.suffix != ".db-shm"]
    for each in aside:  # the last to close a database puts all of it into one file
        shutil.move(each, data / each.name)
    assert {each.name for each in aside} == {"refused.db", "refused.db-wal"}
    return data


@pytest.fixture(scope="module", params=["after a clean stop", "after kills before the upgrade and right behind it"])
def upgraded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of today on the directory, for questions that change nothing."""
    folder = tmp_path_factory.mktemp("upgraded")
    if request.param == "after a clean stop":
        data = copied(folder)
    else:
        data = left_by_a_kill(folder)
        with serving(data, *CONFIGURED) as served:
            served.process.kill()
            served.process.wait(PATIENCE)
    with serving(data, *CONFIGURED) as served:
        yield served


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of today on the directory, for requests and commands that change something; each has its own ids."""
    with serving(copied(tmp_path_factory.mktemp("running")), *CONFIGURED) as served:
        yield served


def sent(served: Served, request: dict[str, Any]) -> requests.Response:
    url, body = served.url + request["path"], request.get("body", "").encode()
    headers = {"Content-Type": "application/json", **request.get("headers", {})}
    return requests.request(request["method"], url, data=body, headers=headers, timeout=PATIENCE)


def answered(answer: requests.Response) -> dict[str, Any]:
    receipt = answer.headers.get("X-Gateway-Receipt")
    return {"status": answer.status_code, "receipt": receipt, "body": answer.content.decode("latin-1")}


def receipt(served: Served, number: str) -> Any:
    admin = {"Authorization": f"Bearer {EXPECTED['admin_token']}"}
    answer = requests.get(f"{served.url}/-/receipts/{number}", headers=admin, timeout=PATIENCE)
    assert answer.status_code == 200
    return facts(answer.json())


def counts(served: Served) -> Any:
    """Return the counts by project, dialect and verdict."""
    rows = lines(served.cli("events", "counts", "--json"))
    return {(row.pop("project"), row.pop("dialect")): row for row in rows}


def total(served: Served, verdict: str) -> int:
    """Return how many items of all projects and dialects had a verdict."""
    return sum(row.get(verdict, 0) for row in counts(served).values())


def test_every_event_is_exported_exactly_as_before_and_in_the_same_order(upgraded: Served) -> None:
    assert upgraded.cli("events", "export").splitlines() == EXPECTED["events"]


def test_the_counts_are_the_same(upgraded: Served) -> None:
    assert lines(upgraded.cli("events", "counts", "--json")) == renamed(EXPECTED["counts"])


def test_the_counters_by_time_begin_with_the_upgrade(upgraded: Served) -> None:
    with closing(sqlite3.connect(upgraded.data / "events.db")) as file:
        assert file.execute("PRAGMA user_version").fetchall() == [(VERSION,)]
        assert file.execute("SELECT * FROM counter_buckets").fetchall() == []
    done = run("outcomes", "--json", "--since", "2026-01-01T00:00:00Z", "--data", str(upgraded.data))
    said = r"counted by time only since 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ, when the data was upgraded\n"
    assert (done.returncode, done.stdout) == (0, "")
    assert re.fullmatch(said, done.stderr)


@pytest.mark.parametrize(
    ("options", "was"),
    [
        ((), "quarantined"),
        (("--filtered",), "filtered"),
        (("--rejected",), "refused"),
        (("--refused",), "refused"),  # scripts have it
    ],
    ids=["quarantined", "filtered", "rejected", "refused"],
)
def test_what_was_kept_aside_is_listed_as_before(upgraded: Served, options: tuple[str, ...], was: str) -> None:
    assert lines(upgraded.cli("quarantine", "list", *options)) == kept_aside(was)


def test_every_receipt_says_the_same_to_the_old_admin_token(upgraded: Served) -> None:
    told = {number: receipt(upgraded, number) for number in EXPECTED["receipts"]}
    assert told == renamed(facts(EXPECTED["receipts"]))


def test_the_credentials_are_listed_as_before(upgraded: Served) -> None:
    assert lines(upgraded.cli("keys", "list", "--json")) == credentials()


def test_an_old_credential_gets_a_label_and_an_end_and_a_rotated_one_is_still_known_as_such(running: Served) -> None:
    listed = {each["id"]: each for each in lines(running.cli("keys", "list", "--json"))}
    [rotated] = [each for each in listed.values() if each["rotated"]]
    [first, *_] = [each for each in listed.values() if each["status"] == "active"]
    running.cli("keys", "update", first["id"], "--label", "From before", "--expires", "2099-01-01T00:00:00Z")
    again = {each["id"]: each for each in lines(running.cli("keys", "list", "--json"))}
    assert (again[first["id"]]["label"], again[first["id"]]["expires"]) == ("From before", "2099-01-01T00:00:00.000Z")
    done = run("keys", "update", rotated["id"], "--expires", "never", "--data", str(running.data))
    assert done.stderr == f"Error: {rotated['id']} is expiring; only its label can be changed\n"


def test_the_files_that_came_with_an_event_lie_under_their_digests(upgraded: Served) -> None:
    found = sorted((upgraded.data / "blobs").glob("*/*"))
    digests = {each.relative_to(upgraded.data).as_posix(): _digest(each) for each in found}
    assert digests == EXPECTED["blobs"]
    [event] = [each for each in upgraded.events() if each["message_id"] == "t-3"]
    named = {file["sha256"] for file in event["context"]["tranthor"]["files"]}
    assert named == set(digests.values())


def test_kept_requests_make_the_same_events_but_for_what_is_translated_better_now(upgraded: Served) -> None:
    done = run("events", "retranslate", "--dry-run", "--data", str(upgraded.data), *CONFIGURED)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    changes = {each["message_id"]: each["changes"] for each in told}
    assert (done.returncode, changes) == (0, TRANSLATED_OTHERWISE)
    assert (EXPECTED["retranslated"], done.stderr) == (
        "29 events looked at, 0 would change",
        "29 events looked at, 12 would change\n",
    )


def test_the_file_of_rejected_requests_has_its_new_name_alone(upgraded: Served) -> None:
    names = {each.name.partition("-")[0] for each in upgraded.data.iterdir() if ".db" in each.name}
    assert names == {"events.db", "keys.db", "rejected.db"}


def test_old_keys_open_their_projects(running: Served) -> None:
    keys, before = EXPECTED["keys"], len(running.events())
    person = {"apiKey": keys["browsee"], "event": "E", "userId": "u"}
    bought = {"event_name": "E", "user_id": "u"}
    blog = {"Origin": "https://blog.example"}
    track, appizer, tranthor = "/track", "/v1/events", "/api/public/apps/track"
    item = {"event": "E", "userId": "u"}
    tried: list[tuple[str, str, object, dict[str, str]]] = [
        ("shop", track, {"name": "E", "eventId": "n-1"}, {"Authorization": f"Bearer {keys['databuddy']}"}),
        ("shop", f"{track}?website_id={keys['site']}", {"name": "E", "eventId": "n-2"}, {}),
        ("blog", f"{track}?website_id={keys['blog site']}", {"name": "E", "eventId": "n-3"}, blog),
        ("shop", appizer, bought, {"Authorization": f"Bearer {keys['appizer']}"}),
        ("shop", appizer, {**bought, "app_id": keys["app"]}, {"Origin": "https://shop.example"}),
        ("shop", appizer, bought, {"Authorization": f"Bearer {keys['rotated']}"}),  # in its grace
        ("shop", appizer, bought, {"Authorization": f"Bearer {keys['successor']}"}),
        ("shop", tranthor, {**item, "messageId": "n-4"}, {"Authorization": f"Basic {keys['tranthor']}"}),
        ("blog", tranthor, {**item, "messageId": "n-4"}, {"Authorization": f"Basic {keys['blog tranthor']}"}),
        ("blog", "/api/v1/track", person, blog),
    ]
    for _, path, body, headers in tried:
        answer = requests.post(running.url + path, json=body, headers=headers, timeout=PATIENCE)
        assert answer.status_code in (200, 204)
    added = [(event["project"], event["name"]) for event in running.events()[before:]]
    assert added == [(project, "E") for project, *_ in tried]


def test_what_was_refused_is_refused_in_the_same_words_a_revoked_key_among_them(running: Served) -> None:
    before, rejected = running.events(), total(running, "rejected")
    again = {name: answered(sent(running, each["request"])) for name, each in REFUSED.items()}
    assert again == {name: each["answer"] for name, each in REFUSED.items()}
    assert running.events() == before
    # They are counted after the answer, and what follows counts too.
    deadline = time.monotonic() + PATIENCE
    while total(running, "rejected") < rejected + len(REFUSED):
        assert time.monotonic() < deadline, "not all rejected requests are counted"
        time.sleep(0.1)


def test_a_retry_under_an_old_idempotency_key_is_answered_as_the_first_time_and_stored_once(running: Served) -> None:
    before = running.events()
    keyed = {name: each for name, each in ACCEPTED.items() if "Idempotency-Key" in each["request"].get("headers", {})}
    answers = {name: sent(running, each["request"]) for name, each in keyed.items()}
    assert {name: answered(each) for name, each in answers.items()} == {
        name: each["answer"] for name, each in keyed.items()
    }
    assert [each.headers["Idempotency-Replayed"] for each in answers.values()] == ["true"] * 5
    assert running.events() == before


def test_a_repeat_of_what_has_old_ids_is_a_duplicate_with_the_same_answer(running: Served) -> None:
    """Stored, quarantined and filtered items are known again; a bad one of a batch is rejected again."""
    repeated = {
        "databuddy single": ["duplicate"],
        "databuddy list": ["duplicate", "duplicate"],
        "databuddy mixed batch": ["duplicate", "rejected", "rejected", "duplicate"],
        "databuddy crawler 1": ["duplicate"],
        "databuddy crawler 2": ["duplicate"],
        "tranthor files": ["duplicate"],
        "tranthor batch": ["duplicate"] * 4,
        "tranthor batch with items of nobody": ["duplicate"] * 4,
    }
    events, before = running.events(), counts(running)
    answers = {name: answered(sent(running, ACCEPTED[name]["request"])) for name in repeated}
    for name, answer in answers.items():
        assert answer == {**ACCEPTED[name]["answer"], "receipt": answer["receipt"]}
    found = {name: receipt(running, answer["receipt"])["items"] for name, answer in answers.items()}
    assert {name: [item["verdict"] for item in items] for name, items in found.items()} == repeated
    assert running.events() == events
    grown = {place: Counter(row) - Counter(before[place]) for place, row in counts(running).items()}
    assert {place: dict(row) for place, row in grown.items() if row} == {
        ("blog", "databuddy"): {"received": 2, "duplicate": 2},
        ("shop", "databuddy"): {"received": 5, "duplicate": 5, "rejected": 2},
        ("shop", "tranthor"): {"received": 9, "duplicate": 9},
    }


def test_a_held_item_is_replayed_with_its_time_and_one_that_is_not_fit_stays(running: Served) -> None:
    before = len(running.events())
    [item] = [each for each in EXPECTED["kept_aside"]["filtered"] if each["message_id"] == "c-3"]
    [unfit] = [each for each in EXPECTED["kept_aside"]["quarantined"] if each["message_id"] == "h-1"]
    printed = running.cli("quarantine", "replay", str(item["id"]), str(unfit["id"])).splitlines()
    assert printed[0] == "1 stored, 0 already stored, 1 failed again"
    [event] = running.events()[before:]
    then = EXPECTED["receipts"][item["receipt"]]["received_at"]
    assert (event["message_id"], event["project"], event["received_at"]) == ("c-3", "blog", then)
    assert facts(unfit) in lines(running.cli("quarantine", "list"))


def test_a_rejected_request_is_replayed_unless_the_older_version_has_done_so(running: Served) -> None:
    before = len(running.events())
    too_old = [each for each in EXPECTED["kept_aside"]["refused"] if "timestamp_window" in str(each["faults"])]
    done, left = too_old
    replay = ("quarantine", "replay", "--rejected", str(done["id"]), str(left["id"]))
    once, again = "2 stored, 0 already stored, 0 failed again", "0 stored, 2 already stored, 0 failed again"
    then = "2 stored, 0 stored before, 0 failed again"  # as the older version noted it
    assert running.cli(*replay).splitlines() == [f"{done['id']}: already replayed: {then}", f"{left['id']}: {once}"]
    with closing(sqlite3.connect(running.data / "rejected.db")) as file, file:
        # As after a kill between the commit and the mark: only the ids of its items tell that they were stored.
        file.execute("UPDATE rejected SET replayed = NULL WHERE id = ?", (done["id"],))
    assert running.cli(*replay).splitlines() == [f"{done['id']}: {again}", f"{left['id']}: already replayed: {once}"]
    assert [event["name"] for event in running.events()[before:]] == ["long ago"] * 2


def test_commands_that_read_work_before_the_upgrade_or_say_who_makes_it(tmp_path: Path) -> None:
    number, told = next(iter(EXPECTED["receipts"].items()))
    asked: list[tuple[tuple[str, ...], Any]] = [
        (("events", "export"), lines("\n".join(EXPECTED["events"]))),
        (("events", "count"), [len(EXPECTED["events"])]),
        (("events", "counts", "--json"), renamed(EXPECTED["counts"])),
        (("quarantine", "list"), facts(EXPECTED["kept_aside"]["quarantined"])),
        (("quarantine", "list", "--rejected"), kept_aside("refused")),
        (("keys", "list", "--json"), credentials()),
        (("receipt", number), [facts(told)]),
    ]
    data = copied(tmp_path)
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda each: run(*each[0], "--data", str(data)), asked))
    for (command, expected), done in zip(asked, answers, strict=True):
        if done.returncode:
            assert re.fullmatch(r"Error: .*; `gateway serve` upgrades it\n", done.stderr), (command, done.stderr)
            continue
        whole = command[0] == "receipt"  # one object over many lines
        assert (command, [facts(json.loads(done.stdout))] if whole else lines(done.stdout)) == (command, expected)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
