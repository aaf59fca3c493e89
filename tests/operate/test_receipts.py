"""Every accepted answer has a receipt that tells what became of each item, to those who may know."""

import json
from pathlib import Path
from typing import Any

import requests

from tests.cli.test_quarantine import track
from tests.kit.serving import PATIENCE, Served, run, serving


def post(served: Served, path: str, body: object, **headers: str) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(served.url + path, data=json.dumps(body), headers=named, timeout=PATIENCE)


def positions(served: Served) -> dict[str, int | str]:
    """The position of each event, by its message id."""
    lines = run("events", "export", "--with-position", *served.place).stdout.splitlines()
    return {each["message_id"]: each["position"] for each in map(json.loads, lines)}


def told(served: Served, receipt: str) -> dict[str, Any]:
    found = json.loads(served.cli("receipt", receipt))
    assert isinstance(found, dict)
    return found


def test_a_receipt_tells_of_each_item_and_how_it_went_on(tmp_path: Path, storage: str | None) -> None:
    with serving(tmp_path / "data", storage=storage) as served:
        key = served.add_key("tranthor", "write_key", project="shop")
        token = served.cli("admin-token").strip()

        def batch(*items: object) -> str:
            answer = post(served, "/api/public/apps/batch", {"batch": items}, Authorization=f"Basic {key}")
            assert answer.status_code == 204
            return answer.headers["X-Gateway-Receipt"]

        receipts = [batch(track("a"), track("b")), batch(track("a"), track("c", None), track("d")), batch()]
        assert sorted(receipts) == receipts
        plain, mixed, empty = [told(served, receipt) for receipt in receipts]
        head = {"receipt": receipts[0], "project": "shop", "dialect": "tranthor", "route": "batch"}
        where = positions(served)
        items: list[dict[str, object]] = [
            {"verdict": "stored", "message_id": name, "position": where[name]} for name in "ab"
        ]
        assert plain == {**head, "received_at": served.events()[0]["received_at"], "items": items}
        fault = {"code": "required", "pointer": "/event", "detail": {}, "sentence": "/event is missing"}
        quarantined = {"verdict": "quarantined", "message_id": "c", "quarantine": 1, "faults": [fault]}
        assert mixed["items"] == [
            {"verdict": "duplicate", "message_id": "a"},
            quarantined,
            {"verdict": "stored", "message_id": "d", "position": where["d"]},
        ]
        assert empty["items"] == []
        assert run("quarantine", "drop", "1", *served.place).returncode == 0
        assert told(served, receipts[1])["items"][1] == {**quarantined, "since": "dropped"}

        url = f"{served.url}/-/receipts/{receipts[0]}"
        served.wait_for_token(token)
        over_http = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE)
        assert (over_http.status_code, over_http.json()) == (200, plain)
        for wrong in (
            {},
            {"Authorization": "Bearer wrong"},
            {"Authorization": token},
            {"Authorization": "Bearer \xff"},
        ):
            refused = requests.get(url, headers=wrong, timeout=PATIENCE)
            assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
        for unknown in ("0", "zzz", "f" * 16, "1" * 40, "..%2f"):
            answer = requests.get(
                f"{served.url}/-/receipts/{unknown}", headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE
            )
            assert answer.status_code == 404


def test_items_that_the_answer_names_as_bad_are_told_too(tmp_path: Path, storage: str | None) -> None:
    with serving(tmp_path / "data", storage=storage) as served:
        site = served.add_key("databuddy", "website")
        entries = [{"type": "track", "name": "a"}, {"type": "nonsense", "name": "b"}]
        answer = post(served, f"/batch?website_id={site}", entries)
        found = told(served, answer.headers["X-Gateway-Receipt"])
        assert [(item["verdict"], item.get("position")) for item in found["items"]] == [
            ("stored", positions(served)[found["items"][0]["message_id"]]),
            ("rejected", None),
        ]
        assert found["items"][1]["faults"][0]["code"] == "unknown_type"


def test_a_replayed_answer_carries_the_first_receipt(tmp_path: Path, storage: str | None) -> None:
    with serving(tmp_path / "data", storage=storage) as served:
        site = served.add_key("databuddy", "website")
        first, again = [
            post(served, f"/track?website_id={site}", {"name": "a"}, Idempotency_Key="k-1").headers for _ in range(2)
        ]
        assert ("Idempotency-Replayed" in first, again["Idempotency-Replayed"]) == (False, "true")
        assert first["X-Gateway-Receipt"] == again["X-Gateway-Receipt"]


def test_an_unknown_receipt_is_told_in_one_line(tmp_path: Path, storage: str | None) -> None:
    with serving(tmp_path / "data", storage=storage) as served:
        done = run("receipt", "123", *served.place)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", "Error: there is no receipt '123'\n")
