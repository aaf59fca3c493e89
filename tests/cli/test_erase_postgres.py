"""`gateway erase` on PostgreSQL, beside two gateways that serve."""

import json
from pathlib import Path

from tests.cli.test_erase import ANN, KEEPING, NOTHING, erased, fill, sent, track
from tests.idempotency.endpoints import KEYS
from tests.kit.serving import add_key, run, serving

BATCH = "/api/public/apps/batch"
COUNTS = {"events": 1, "mentions": 1, "kept_requests": 2, "quarantined": 1, "rejected": 1, "receipts": 1}


def test_a_person_is_erased_beside_two_gateways_that_know_of_it_at_once(prepared: str, tmp_path: Path) -> None:
    place = ("--storage", prepared)
    add_key(prepared, "tranthor", "write_key", KEYS["tranthor"])
    with (
        serving(tmp_path / "one", "--no-console", env=KEEPING, storage=prepared) as one,
        serving(tmp_path / "other", "--no-console", env=KEEPING, storage=prepared) as other,
    ):
        receipts = [each.headers["X-Gateway-Receipt"] for each in fill(one)]
        while not run("quarantine", "list", "--rejected", *place).stdout:  # written a second later
            pass
        [position] = [
            event["position"]
            for event in map(json.loads, run("events", "export", *place, "--with-position").stdout.splitlines())
            if event["user_id"] == ANN
        ]
        expected = NOTHING | {"project": "shop", "user_id": ANN, "dry_run": False}
        tried = erased("--user-id", ANN, "--dry-run", place=place)
        assert tried == {**expected, **COUNTS, "dry_run": True, "other_ids": [{"anonymous_id": "a-7"}]}

        found = erased("--user-id", ANN, place=place)

        [left] = found["left"]
        assert left.startswith("PostgreSQL's write-ahead log, its archive, its replicas and the backups")
        assert found == {**tried, "dry_run": False, "left": [left]}
        for served in (one, other):
            late = [track("m-1"), track("m-9", timestamp="2020-01-01T00:00:00Z"), track(f"new {served.url}")]
            assert sent(served, BATCH, {"batch": late}).status_code == 204
        exported = [json.loads(each) for each in run("events", "export", *place).stdout.splitlines()]
        names = [event["message_id"] for event in exported]
        assert names == ["m-2", "m-3", "m-4", "m-5", f"new {one.url}", f"new {other.url}"]
        assert exported[1]["properties"] == {"to": "[erased]"}
        shown = run("events", "show", position, *place)
        assert (shown.returncode, shown.stdout) == (1, "")
        assert shown.stderr.startswith(f"Error: the event at position {position} is gone: it was erased")
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
        assert (counted["stored"], counted["duplicate"], counted["erased"]) == (7, 4, 1)
        checked = run("storage", "check", *place)
        assert checked.returncode == 0
        assert checked.stderr.endswith("6 events read, nothing is wrong\n")
