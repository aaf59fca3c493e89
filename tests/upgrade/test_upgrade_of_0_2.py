"""Today's gateway takes over a data directory of commit 7ff5186, with `compress` on: it tells all of it alike.

`make_fixture.py` says how the directory was made, and `expected-7ff5186.json` what that version's commands said of it.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.kit.serving import PATIENCE, Served, run, serving

HERE = Path(__file__).parent
EXPECTED = json.loads((HERE / "expected-7ff5186.json").read_text("utf-8"))
CONFIGURED = ("--config", str(HERE / "gateway.toml"))


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = tmp_path_factory.mktemp("upgraded") / "data"
    shutil.copytree(HERE / "data-7ff5186", data)
    with serving(data, *CONFIGURED) as served:
        yield served
        assert served.stop() == 0


def told(printed: str) -> list[Any]:
    return [json.loads(line) for line in printed.splitlines()]


def test_events_counts_and_credentials_are_what_they_were(upgraded: Served) -> None:
    assert upgraded.cli("events", "export").splitlines() == EXPECTED["events"]
    assert told(upgraded.cli("outcomes", "--json")) == EXPECTED["counts"]
    assert told(upgraded.cli("keys", "list", "--json")) == EXPECTED["credentials"]


def test_what_was_held_and_every_receipt_are_what_they_were(upgraded: Served) -> None:
    kept_aside = {
        "quarantined": told(upgraded.cli("quarantine", "list")),
        "filtered": told(upgraded.cli("quarantine", "list", "--filtered")),
        "refused": told(upgraded.cli("quarantine", "list", "--rejected")),
    }
    assert kept_aside == EXPECTED["kept_aside"]
    admin = {"Authorization": f"Bearer {EXPECTED['admin_token']}"}
    for number, receipt in EXPECTED["receipts"].items():
        answer = requests.get(f"{upgraded.url}/-/receipts/{number}", headers=admin, timeout=PATIENCE)
        assert (number, answer.json()) == (number, receipt)


def test_kept_requests_make_the_same_events(upgraded: Served) -> None:
    done = run("events", "retranslate", "--dry-run", "--data", str(upgraded.data), *CONFIGURED)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (0, "", EXPECTED["retranslated"])


def test_a_retry_is_a_duplicate_and_a_new_event_is_stored(upgraded: Served) -> None:
    before = upgraded.events()
    request = EXPECTED["accepted"]["tranthor single"]["request"]

    def send(body: str) -> int:
        headers = {"Content-Type": "application/json", **request["headers"]}
        return requests.post(
            f"{upgraded.url}{request['path']}", data=body.encode(), headers=headers, timeout=PATIENCE
        ).status_code

    assert send(request["body"]) == 204
    assert upgraded.events() == before
    assert send(json.dumps({**json.loads(request["body"]), "messageId": "new"})) == 204
    assert [event["message_id"] for event in upgraded.events()[len(before) :]] == ["new"]
