"""Known bots: kept aside where a project wants them out, with the answer that everybody gets, and replayable."""

import json
from pathlib import Path

import pytest
import requests

from gateway.datadir import find
from gateway.ingest.bots import known_bots
from gateway.storage.sqlite.read.reader import Reader
from tests.kit.serving import PATIENCE, Served, serving

PERSON = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        (CRAWLER, True),
        ("facebookexternalhit/1.1", True),
        (PERSON, False),
        ("python-requests/2.31", False),
        ("okhttp/4.9.3", False),
        ("", False),
        ("x" * 100_000 + CRAWLER, False),
    ],
    ids=["google", "facebook", "a person", "a library", "an app", "nobody", "at the end of a long text"],
)
def test_crawlers_are_known_and_libraries_and_people_are_not(user_agent: str, expected: bool) -> None:
    assert known_bots()(user_agent) is expected


def track(served: Served, site: str, agent: str, body: object) -> tuple[int, object]:
    url = f"{served.url}/track?website_id={site}"
    answer = requests.post(
        url, json=body, headers={"User-Agent": agent, "Origin": "https://shop.example"}, timeout=PATIENCE
    )
    return answer.status_code, answer.json()


def counts(data: Path) -> dict[tuple[str, str], object]:
    with Reader(find(data)) as reader:
        return {(str(each["project"]), str(each["verdict"])): each["count"] for each in reader.counters()}


def test_a_project_that_wants_no_bots_keeps_their_events_aside_until_they_are_replayed(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text("[projects.shop]\nfilter_bots = true\n")
    data = tmp_path / "data"
    with serving(data, "--config", str(config)) as served:
        shop = served.add_key("databuddy", "website", project="shop")
        blog = served.add_key("databuddy", "website", project="blog")
        sent = [(1, shop, PERSON), (2, shop, CRAWLER), (2, shop, CRAWLER), (3, blog, CRAWLER)]
        said = [track(served, site, agent, {"name": "a", "eventId": f"e-{number}"}) for number, site, agent in sent]
        assert said == [(200, {"status": "success", "type": "custom_event", "count": 1})] * 4
        assert track(served, shop, CRAWLER, {"name": 5})[0] == 400
        assert [event["message_id"] for event in served.events()] == ["e-1", "e-3"]
        assert served.cli("quarantine", "list") == ""
        [item] = [json.loads(line) for line in served.cli("quarantine", "list", "--filtered").splitlines()]
        assert (item["verdict"], item["faults"][0]["sentence"]) == (
            "filtered",
            "/context/user_agent names a known crawler",
        )
        assert counts(data) == {
            ("shop", "received"): 3,
            ("shop", "stored"): 1,
            ("shop", "filtered"): 1,
            ("shop", "duplicate"): 1,
            ("blog", "received"): 1,
            ("blog", "stored"): 1,
        }
        assert served.cli("quarantine", "replay", "--all").startswith("0 stored")
        assert served.cli("quarantine", "replay", "--all", "--filtered").startswith("1 stored")
        assert [event["message_id"] for event in served.events()] == ["e-1", "e-3", "e-2"]
        assert (counts(data)["shop", "stored"], counts(data)["shop", "filtered"]) == (2, 0)
