"""`gateway erase`: beside a server and without one, what it says, and that nothing is left in any file."""

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.cli.lines import entry, keep, line
from tests.idempotency.endpoints import KEYS, add_keys
from tests.kit.serving import PATIENCE, Served, run, serving
from tests.storage.sqlite.test_erasing import holding

ANN = "ann@example.org"
KEEPING = {"GATEWAY_KEEP_RAW_DAYS": "1"}
NEEDLES = (b"ann@example.org", b"ann%40example.org", b"unique-note")
NOTHING = {
    "events": 0,
    "mentions": 0,
    "parts_left": 0,
    "receipts": 0,
    "kept_requests": 0,
    "quarantined": 0,
    "rejected": 0,
    "files": 0,
    "other_ids": [],
    "backups": [],
    "left": [],
}


def sent(served: Served, path: str, body: object, key: str = KEYS["tranthor"]) -> requests.Response:
    return requests.post(f"{served.url}{path}", json=body, headers={"Authorization": f"Basic {key}"}, timeout=PATIENCE)


def track(name: str, user: str = ANN, /, **more: object) -> dict[str, object]:
    return {"type": "track", "messageId": name, "event": "Signed Up", "userId": user, **more}


def fill(served: Served) -> list[requests.Response]:
    """Send events of two persons, invalid ones of both in one request, a rejected request, a picture of a screen."""
    batch = "/api/public/apps/batch"
    bad = [{**track("q-1"), "event": None}, {**track("q-2", "bob"), "event": None}]
    for each in bad:
        del each["event"]
    hers: dict[str, object] = {"properties": {"note": "unique-note"}, "anonymousId": "a-7"}
    answers = [
        sent(
            served,
            batch,
            {"batch": [track("m-1", ANN, **hers), track("m-2", "bob"), track("m-3", "bob", properties={"to": ANN})]},
        ),
        sent(served, batch, {"batch": [*bad, track("m-4", "bob")]}),
        sent(served, batch, {"batch": [track("m-5", "bob")]}),
    ]
    assert [each.status_code for each in answers] == [204, 204, 204]
    assert sent(served, batch, {"batch": [track("m-6")]}, key="trn_wrong").status_code == 401
    return answers


def erased(*arguments: str, place: tuple[str, ...]) -> dict[str, Any]:
    done = run("erase", "--project", "shop", "--json", *arguments, *place)
    assert (done.returncode, done.stderr) == (0, "")
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("workers", ["2", "none"])
def test_nothing_of_a_person_is_left_in_any_file_with_a_server_and_without(tmp_path: Path, workers: str) -> None:
    data = tmp_path / "data"
    add_keys(data)
    place = ("--data", str(data))
    with serving(data, "--no-console", "--workers", "2" if workers == "2" else "1", env=KEEPING) as served:
        receipts = [each.headers["X-Gateway-Receipt"] for each in fill(served)]
        if workers == "none":
            assert served.stop() == 0
        expected = NOTHING | {"project": "shop", "user_id": ANN, "dry_run": False}
        before = erased("--user-id", ANN, "--dry-run", place=place)
        counts = {"events": 1, "mentions": 1, "kept_requests": 2, "quarantined": 1, "rejected": 1}
        found = erased("--user-id", ANN, place=place)
        assert {**before, "rejected": 1} == {**found, "dry_run": True}  # rejected requests are written once a second

        assert found == {**expected, **counts, "receipts": 1, "other_ids": [{"anonymous_id": "a-7"}]}
        assert holding(data, *NEEDLES) == []
        assert erased("--user-id", ANN, place=place) == expected
        lines = run("events", "export", *place, "--with-position").stdout.splitlines()
        assert [(each["position"], each["user_id"]) for each in map(json.loads, lines)] == [
            *((position, "bob") for position in range(2, 6)),
        ]
        checked = run("storage", "check", *place)
        assert (checked.returncode, checked.stdout) == (0, "")
        shown = run("events", "show", "1", *place)
        assert (shown.returncode, shown.stdout, shown.stderr) == (
            1,
            "",
            "Error: the event at position 1 is gone: it was erased with its person, or has expired before others\n",
        )
        receipt = json.loads(run("receipt", receipts[0], *place).stdout)
        assert [(each["message_id"], each.get("erased")) for each in receipt["items"]] == [
            (None, True),
            ("m-2", None),
            ("m-3", None),
        ]
        held = [json.loads(each) for each in run("quarantine", "list", *place).stdout.splitlines()]
        assert [(each["message_id"], each["payload"]["userId"]) for each in held] == [("q-2", "bob")]
        [counted] = [
            json.loads(each) for each in run("outcomes", "--json", *place).stdout.splitlines() if "shop" in each
        ]
        assert (counted["stored"], counted["quarantined"], counted["erased"]) == (5, 2, 1)
        if workers != "none":
            late = sent(
                served,
                "/api/public/apps/batch",
                {"batch": [track("m-1"), track("m-9", timestamp="2020-01-01T00:00:00Z")]},
            )
            assert late.status_code == 204
            assert sent(served, "/api/public/apps/batch", {"batch": [track("new")]}).status_code == 204
            names = [json.loads(each)["message_id"] for each in run("events", "export", *place).stdout.splitlines()]
            assert names == ["m-2", "m-3", "m-4", "m-5", "new"]


def test_what_cannot_be_erased_is_one_line_and_what_is_nowhere_is_no_error(tmp_path: Path) -> None:
    data = tmp_path / "data"
    keep(data, entry([line(1), line(2)]))
    place = ("--data", str(data))
    none = tmp_path / "none"
    wrong = [
        run("erase", "--project", "shpo", "--user-id", "u", *place),
        run("erase", "--project", "shop", *place),
        run("erase", "--project", "shop", "--user-id", "u", "--anonymous-id", "a", *place),
        run("erase", "--project", "shop", "--user-id", "", *place),
        run("erase", "--project", "shop", "--user-id", "\udcff", *place),
        run("erase", "--project", "shop", "--user-id", "u", "--data", str(none)),
    ]
    assert [(each.returncode, each.stdout, each.stderr.splitlines()[-1]) for each in wrong] == [
        (1, "", "Error: there is no project 'shpo'; did you mean shop?"),
        (2, "", "Error: give one of --user-id and --anonymous-id"),
        (2, "", "Error: give one of --user-id and --anonymous-id"),
        (2, "", "Error: an id has at least one character"),
        (2, "", "Error: an id is text in UTF-8"),
        (1, "", f"Error: there is no directory {none}; `gateway serve --data {none}` makes it at its first start"),
    ]
    for options, of_person in (("--dry-run",), "would be erased"), ((), "erased"):
        done = run("erase", "--project", "shop", "--user-id", "n" * 5000, *options, *place)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines()[0] == f"0 events of this person {of_person}"
        assert done.stdout.splitlines()[-1] == "not covered: what was exported, and what was sent on to other places"


def test_backups_that_were_made_before_are_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    keep(data, entry([line(1)]))
    made = run("backup", "create", "--data", str(data), "--to", str(tmp_path / "monday.backup"))
    assert made.returncode == 0, made.stderr
    [name] = erased("--user-id", "nobody", place=("--data", str(data)))["backups"]
    assert name.endswith("monday.backup")
