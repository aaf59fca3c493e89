"""The pages Events and of one event: what is found, what is known of it, and that a client's words stay text."""

import json
from urllib.parse import quote

import attrs
import pytest
from jsonschema import Draft202012Validator

from gateway.console.pages.events import DETAILS, OPERATIONS, PAGE
from gateway.storage.engines import open_store
from gateway.storage.read import Position
from tests.cli.lines import keep
from tests.console.browser import Api, Browser
from tests.kit.log_reading import events_of
from tests.kit.sent_requests import batch

HOSTILE = "<img src=x onerror=alert(1)>\"'{{7*7}}\u202e\x1b[2J"


def item(name: str, message_id: str, person: str = "a-1") -> dict[str, object]:
    return {"type": "custom", "name": name, "anonymousId": person, "eventId": message_id}


@attrs.frozen
class Kept:
    """The positions of events, by their message ids."""

    positions: dict[str, Position]

    def path(self, message_id: str) -> str:
        return quote(str(self.positions[message_id]))


@pytest.fixture(scope="module")
def kept(module_url: str) -> Kept:
    many = [batch(*[item(f"n{number}", f"m-{number}", "many") for number in range(60)])]
    keep(
        module_url,
        *many,
        batch(item("Signed Up", "e-1"), {"type": "nonsense", "eventId": "e-2"}),
        batch(item("not kept", "e-3", "a-2"), project="blog", keep=False),
        batch(item(HOSTILE, "e-4", HOSTILE)),
    )
    found = {str(json.loads(line)["message_id"]): position for position, line in events_of(open_store(module_url))}
    return Kept(found)


def checked(value: object, schema: object) -> object:
    Draft202012Validator(schema).validate(value)  # type: ignore[arg-type]
    return value


async def test_events_are_searched_newest_first_and_paged_both_ways(kept: Kept, api: Api) -> None:
    async def ids(query: str) -> list[str]:
        found = await api.get(f"/api/events{query}")
        checked(found, PAGE)
        return [each["message_id"] for each in found["events"]]

    assert await ids("?project=blog") == ["e-3"]
    assert await ids("?id=e-1") == ["e-1"]
    assert await ids("?person=a-1") == ["e-1"]
    assert await ids("?name=Signed+Up&type=track&dialect=databuddy&since=2026-01-02T03:04:05Z") == ["e-1"]
    assert await ids("?before=2026-01-02T03:04:05Z") == []
    everything = await ids("")
    assert everything[:4] == ["e-4", "e-3", "e-1", "m-59"]
    first = await api.get("/api/events?person=many")
    second = await api.get(f"/api/events?person=many&until={first['older']}")
    assert [each["message_id"] for each in second["events"]] == [f"m-{number}" for number in range(9, -1, -1)]
    back = await api.get(f"/api/events?person=many&after={second['newer']}")
    assert (back["events"], back["older"] is not None) == (first["events"], True)


async def test_a_query_that_says_something_impossible_is_told_in_one_line(kept: Kept, api: Api) -> None:
    for query, line in (
        ("type=click", "type must be one of track, page, screen, identify, group, alias"),
        ("since=yesterday", "since is no time"),
        ("until=x", "until is no position of this log"),
    ):
        status, value = await api.send("GET", f"/api/events?{query}")
        assert (status, value["error"].startswith(line)) == (400, True)
    for position in ("999999", "x"):
        assert (await api.send("GET", f"/api/events/{position}"))[0] == 404


async def test_the_list_leads_to_each_event_and_to_its_other_pages(kept: Kept, console: Browser) -> None:
    text = await console.page("/events")
    assert f'href="/events/{kept.path("e-1")}"' in text
    assert 'rel="next" href="/events?until=' in text
    assert 'rel="prev"' not in text
    assert "No event is like that" in await console.page("/events?id=nobody")
    assert 'value="Signed Up"' in await console.page("/events?name=Signed+Up")


async def test_an_event_comes_with_its_request_answer_and_receipt(kept: Kept, api: Api, console: Browser) -> None:
    found = await api.get(f"/api/events/{kept.path('e-1')}")
    checked(found, DETAILS)
    assert (found["position"], found["event"]["name"], found["item"]) == (kept.positions["e-1"], "Signed Up", 0)
    assert json.loads(found["request"]["body"])[1] == {"type": "nonsense", "eventId": "e-2"}
    assert [each["status"] for each in json.loads(found["answer"]["body"])["results"]] == ["success", "error"]
    text = await console.page(f"/events/{kept.path('e-1')}")
    for part in ("Signed Up", "POST /batch", "[redacted]", found["receipt"]["receipt"], "is not a known type of event"):
        assert part in text


async def test_of_an_event_without_its_request_it_is_said_why(kept: Kept, api: Api, console: Browser) -> None:
    found = await api.get(f"/api/events/{kept.path('e-3')}")
    checked(found, DETAILS)
    assert (found["request"], found["answer"]) == (None, None)
    assert "The request was not kept; keep_raw_days" in await console.page(f"/events/{kept.path('e-3')}")


async def test_what_a_client_sent_is_text(kept: Kept, console: Browser) -> None:
    search = await console.page(f"/events?name={quote(HOSTILE)}")  # its field has the very text
    assert ("<img" in search, "&lt;img src=x" in search, "{{7*7}}" in search) == (False, True, True)
    for path in ("/events", f"/events/{kept.path('e-4')}"):
        text = await console.page(path)
        assert ("<img" in text, "&lt;img src=x" in text) == (False, True)
        assert ("{{7*7}}" in text, "\u202e" in text, "\x1b" in text, "\\u202e" in text) == (True, False, False, True)


def test_each_operation_has_a_schema() -> None:
    assert sorted(OPERATIONS) == ["/api/events", "/api/events/{position}"]
