"""`gateway events show`: an event by its position or its message id, with all that is known of it."""

import json
from typing import Any

import attrs
import pytest

from gateway.storage.engines import open_store
from gateway.storage.read import Position
from tests.cli.lines import keep
from tests.cli.test_events import told
from tests.kit.log_reading import events_of
from tests.kit.sent_requests import batch


def item(name: str, message_id: str) -> dict[str, object]:
    return {"type": "custom", "name": name, "anonymousId": "a-1", "eventId": message_id}


@attrs.frozen
class Kept:
    """A store, and the positions of its events by their name."""

    url: str
    positions: dict[str, Position]


@pytest.fixture(scope="module")
def kept(module_url: str) -> Kept:
    keep(
        module_url,
        batch(item("first", "m-1"), item("second", "m-2")),
        batch(item("of the blog", "m-1"), project="blog", keep=False),
    )
    found = {str(json.loads(text)["name"]): position for position, text in events_of(open_store(module_url))}
    return Kept(module_url, found)


def objects(text: str) -> list[dict[str, Any]]:
    """Return the objects of JSON that is written over several lines each."""
    found, rest = [], text
    while rest:
        value, end = json.JSONDecoder().raw_decode(rest)
        found.append(value)
        rest = rest[end:].lstrip()
    return found


def shown(kept: Kept, what: object, *options: str) -> list[dict[str, Any]]:
    code, out, err = told("events", "show", "--storage", kept.url, *options, str(what))
    assert (code, err) == (0, "")
    return objects(out)


def test_an_event_is_shown_by_its_position_with_all_that_is_known_of_it(kept: Kept) -> None:
    [found] = shown(kept, kept.positions["second"])
    assert (found["position"], found["event"]["name"], found["item"]) == (kept.positions["second"], "second", 1)
    assert json.loads(found["request"]["body"]) == [item("first", "m-1"), item("second", "m-2")]
    assert json.loads(found["answer"]["body"])["processed"] == 2
    assert [each["position"] for each in found["receipt"]["items"]] == [
        kept.positions["first"],
        kept.positions["second"],
    ]


def test_an_event_is_shown_by_its_message_id_and_several_all_the_newest_first(kept: Kept) -> None:
    assert [each["event"]["name"] for each in shown(kept, "m-2")] == ["second"]
    assert [each["event"]["name"] for each in shown(kept, "m-1")] == ["of the blog", "first"]
    assert [each["event"]["name"] for each in shown(kept, "m-1", "--project", "shop")] == ["first"]


def test_an_event_that_is_not_there_is_an_error_of_one_line(kept: Kept) -> None:
    def error(what: str, *options: str) -> str:
        code, out, err = told("events", "show", "--storage", kept.url, *options, what)
        assert (code, out) == (1, "")
        return err

    for what in ("m-3", "999999", "x y\x1b[2J"):
        said = f"Error: there is no event at the position, or with the message id, {what!r}\n"
        assert error(what) == said
    first = str(kept.positions["first"])
    assert error(first, "--project", "blog").startswith("Error: there is no event at the position")
    assert error("m-1", "--project", "blgo") == "Error: there is no project 'blgo'; did you mean blog?\n"
