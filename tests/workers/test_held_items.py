"""What quarantine, receipts and the refused ring promise holds with several workers too."""

import json
import time
from pathlib import Path

import requests

from tests.cli.test_quarantine import holding, track
from tests.kit.serving import PATIENCE, run, serving


def test_held_items_receipts_and_refused_requests_with_several_workers(tmp_path: Path, url: str) -> None:
    holding(url, track("a"), track("b", None))
    with serving(tmp_path / "data", "--workers", "2", storage=url) as served:
        key = served.add_key("tranthor", "write_key", project="shop")
        assert served.cli("quarantine", "replay", "--all").startswith("1 stored, 0 already stored, 1 failed again\n")

        def post(body: object) -> requests.Response:
            named = {"Authorization": f"Basic {key}"}
            return requests.post(f"{served.url}/api/public/apps/batch", json=body, headers=named, timeout=PATIENCE)

        answers = [post({"batch": [track("a"), track("b", None), track(f"n-{number}")]}) for number in range(8)]
        told = [json.loads(served.cli("receipt", answer.headers["X-Gateway-Receipt"])) for answer in answers]
        verdicts = [[item["verdict"] for item in receipt["items"]] for receipt in told]
        assert verdicts == [["duplicate", "duplicate", "stored"]] * 8
        assert [post({"batch": 1}).status_code for _ in range(8)] == [400] * 8
        deadline = time.monotonic() + PATIENCE
        while len(listed := served.cli("quarantine", "list", "--rejected").splitlines()) < 8:
            assert time.monotonic() < deadline
        assert {json.loads(line)["project"] for line in listed} == {"shop"}
        assert run("quarantine", "drop", "2", "--storage", url).stderr == "1 dropped\n"
        assert served.stop() == 0
    assert run("quarantine", "list", "--storage", url).stdout == ""
