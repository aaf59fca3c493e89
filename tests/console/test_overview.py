"""The page Overview and its JSON, on a store of each engine."""

import json
import time
from collections.abc import Sequence

import attrs
import jsonschema
import pytest

from gateway.console.context import Console
from gateway.console.pages.overview import SCHEMA
from gateway.dialect.outcome import Outcome, Verdict
from gateway.dialect.timestamps import from_millis
from gateway.operate.advice import Rejection, advice
from gateway.storage.contract import Entry, EventRow, QuarantinedItem
from gateway.storage.store import StoreSettings
from gateway.testing.engine.given.entries import entry, key
from gateway.testing.engine.given.rejections import rejection
from tests.console.browser import Api, Browser
from tests.console.conftest import Clock

HOUR = 3_600_000
NOW = time.time_ns() // 1_000_000 // HOUR * HOUR + 30 * 60_000 + 5_000
"""Five seconds after half past the hour in which the tests run."""
HOSTILE = "<img src=x onerror=a()>\u202e{{7*7}}"


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""

    @attrs.define
    class Standing(Clock):
        def __call__(self) -> int:
            return NOW + self.ahead

    return Standing()


def row(project: str, name: object, received_at: int) -> EventRow:
    event = {"project": project, "name": str(name), "received_at": from_millis(received_at)}
    return EventRow(json.dumps(event).encode(), key(name))


def ago(minutes: float, project: str, names: Sequence[str], dialect: str = "toy") -> Entry:
    at = NOW - int(minutes * 60_000)
    return attrs.evolve(
        entry(*[row(project, name, at) for name in names], project=project), received_at=at, dialect=dialect
    )


async def store(served: Console, *entries: Entry) -> None:
    async with served.store.storage(StoreSettings()) as storage:
        for each in entries:
            await storage.append(each)


async def test_the_json_has_events_by_step_and_dialect_and_the_outcomes(served: Console, api: Api) -> None:
    held = ago(3, "first", [])
    await store(
        served,
        ago(0, "first", ["a1", "a2"]),
        ago(1.5, "first", ["a3"], "other"),
        ago(1.5, "first", ["a1"]),
        ago(59, "first", ["a4"]),
        ago(70, "first", ["a5"]),
        ago(60 * 24 * 3, "first", ["a6"]),
        ago(5, "second", ["b1"]),
        attrs.evolve(
            held,
            quarantined=(QuarantinedItem("q", b"[]", b"{}", key("q")),),
            outcomes=(Outcome(Verdict.QUARANTINED, "q"),),
        ),
    )
    rejected = served.store.rejected_log(StoreSettings())
    async with rejected.running():
        rejected.add(rejection("first", items=3, received_at=NOW - 120_000))
    found = await api.get("/api/overview?project=first")
    jsonschema.validate(found, SCHEMA)
    times = found.pop("times")
    assert (len(times), times[0][11:], times[-1][11:]) == (
        60,
        times[0][11:14] + "31:00.000Z",
        times[-1][11:14] + "30:00.000Z",
    )
    zeros = [0] * 60
    assert found.pop("events") == {
        "other": [*zeros[:57], 1, 0, 0],
        "toy": [1, *zeros[:58], 2],
    }
    assert found.pop("outcomes") == {
        "total": {"stored": 4, "duplicate": 1, "quarantined": 1, "filtered": 0, "rejected": 3},
        "rows": [
            {
                "project": "first",
                "dialect": "toy",
                "stored": 3,
                "duplicate": 1,
                "quarantined": 1,
                "filtered": 0,
                "rejected": 3,
            },
            {
                "project": "first",
                "dialect": "other",
                "stored": 1,
                "duplicate": 0,
                "quarantined": 0,
                "filtered": 0,
                "rejected": 0,
            },
        ],
        "left_out": 0,
    }
    [group] = found["rejections"]["groups"]
    assert found.pop("rejections") == {
        "groups": [
            {
                "reason": "invalid",
                "dialect": "toy",
                "project": "first",
                "credential_id": None,
                "origin": None,
                "count": 1,
                "newest": from_millis(NOW - 120_000),
                "example": group["example"],
                "advice": advice(Rejection("invalid", "toy", "first")),
            }
        ],
        "left_out": 0,
    }
    assert found.pop("disk")["bytes"] > 0
    assert {"first", "second"} <= set(found.pop("projects"))
    found.pop("newest_event")
    assert found == {
        "span": "hour",
        "project": "first",
        "now": f"{times[-1][:17]}05.000Z",
        "step_seconds": 60,
        "counted_since": None,
        "reader_lag_seconds": None if served.store.directory else 0.0,
        "server": {"url": served.url, "state": "not running", "queue_bytes": None, "queue_limit_bytes": None},
    }
    day, month = [await api.get(f"/api/overview?project=first&span={span}") for span in ("day", "month")]
    for longer in (day, month):
        jsonschema.validate(longer, SCHEMA)
    assert [(each["step_seconds"], len(each["times"])) for each in (day, month)] == [(300, 288), (21_600, 120)]
    assert [{name: sum(series) for name, series in each["events"].items()} for each in (day, month)] == [
        {"other": 1, "toy": 4},
        {"other": 1, "toy": 5},
    ]


async def test_the_newest_event_is_that_of_the_whole_store(served: Console, api: Api) -> None:
    await store(served, ago(2, "newest", ["n1"]), ago(1, "newest", ["n2"]))
    found = await api.get("/api/overview?project=nobody")
    assert found["newest_event"] == from_millis(NOW - 60_000)
    assert found["events"] == {}
    assert found["outcomes"]["rows"] == []


async def test_the_page_has_a_table_of_the_numbers_and_shows_names_as_text(served: Console, console: Browser) -> None:
    await store(served, ago(0, HOSTILE, ["h1", "h2", "h3"]))
    rejected = served.store.rejected_log(StoreSettings())
    async with rejected.running():
        rejected.add(rejection(HOSTILE, received_at=NOW))
    page = await console.page("/overview?span=hour")
    assert "<img" not in page
    assert "&lt;img src=x onerror=a()&gt;\\u202e{{7*7}}</a></td>" in page
    assert "&lt;img src=x onerror=a()&gt;\\u202e{{7*7}}</option>" in page
    assert page.count("<tr><td><time") == 60
    assert "No gateway answers at" in page
    assert 'href="/overview?span=day&amp;project="' in page


async def test_what_is_no_span_is_said_in_one_line(api: Api) -> None:
    assert await api.send("GET", "/api/overview?span=year") == (
        400,
        {"error": "span must be one of hour, day, month"},
    )
