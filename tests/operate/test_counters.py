"""The counters of a store: they balance, outlive a kill, and are told by project."""

import json
import re
import signal
from pathlib import Path

import requests

from tests.cli.test_quarantine import track
from tests.kit.serving import PATIENCE, Served, serving

VERDICTS = ("received", "stored", "duplicate", "quarantined", "filtered", "rejected")


def counted(served: Served) -> dict[tuple[str, str], tuple[int, ...]]:
    lines = [json.loads(line) for line in served.cli("events", "counts", "--json").splitlines()]
    return {(each["project"], each["dialect"]): tuple(each[name] for name in VERDICTS) for each in lines}


def scraped(served: Served) -> dict[tuple[str, str], tuple[int, ...]]:
    text = requests.get(f"{served.url}/-/metrics", timeout=PATIENCE).text
    found = re.findall(
        r'^gateway_project_items_total\{dialect="(.*)",project="(.*)",verdict="(.*)"\} (\S+)$', text, re.MULTILINE
    )
    told: dict[tuple[str, str], dict[str, int]] = {}
    for dialect, project, verdict, count in found:
        told.setdefault((project, dialect), {})[verdict] = int(float(count))
    return {place: tuple(verdicts.get(name, 0) for name in VERDICTS) for place, verdicts in told.items()}


def test_the_counters_balance_are_told_by_project_and_outlive_a_kill(tmp_path: Path, storage: str | None) -> None:
    data = tmp_path / "data"
    expected = {
        ("shop", "tranthor"): (6, 2, 3, 1, 0, 2),
        ("shop", "databuddy"): (1, 1, 0, 0, 0, 1),
        ("", "databuddy"): (0, 0, 0, 0, 0, 1),
    }
    with serving(data, storage=storage) as served:
        key = served.add_key("tranthor", "write_key", project="shop")
        site = served.add_key("databuddy", "website", project="shop")

        def post(path: str, body: object) -> int:
            named = {"Authorization": f"Basic {key}"}
            return requests.post(served.url + path, json=body, headers=named, timeout=PATIENCE).status_code

        for _ in range(2):
            assert post("/api/public/apps/batch", {"batch": [track("a"), track("b"), track("c", None)]}) == 204
        assert post("/api/public/apps/track", {"messageId": "x"}) == 400
        assert post("/api/public/apps/batch", {"batch": 1}) == 400
        assert post(f"/batch?website_id={site}", [{"type": "track", "name": "a"}, {"type": "nonsense"}]) == 200
        assert post("/track", [{"name": "a"}]) == 401
        served.cli("quarantine", "list", "--rejected")
        deadline = PATIENCE * 10
        while counted(served) != expected and deadline:
            deadline -= 1
        assert (counted(served), scraped(served)) == (expected, expected)
        served.process.send_signal(signal.SIGKILL)
        served.process.wait()
    for received, *parts, _refused in expected.values():
        assert received == sum(parts)
    with serving(data, storage=storage) as served:
        assert (counted(served), scraped(served)) == (expected, expected)
        [line] = [
            line for line in served.cli("events", "counts", "--project", "shop").splitlines() if "tranthor" in line
        ]
        assert line.split() == ["shop", "tranthor", "6", "2", "3", "1", "0", "2"]
        everything = served.cli("outcomes", "--json")
        for since in ("10m", "7d", "2026-01-01T00:00:00Z"):
            assert served.cli("outcomes", "--json", "--since", since) == everything
        assert served.cli("outcomes", "--json", "--since", "2100-01-01T00:00:00Z") == ""
