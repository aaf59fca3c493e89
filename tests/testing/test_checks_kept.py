"""The checks that nothing is lost: what a dialect drops is named, and so is where it belongs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from gateway.dialect import Event, Fault, Item, Received, Request, Submission, from_iso, json_or_fault
from tests.testing import small
from tests.testing.checking import failure, kept
from tests.testing.small import subject_of, with_route

REMEDY = (
    "\n  To do: have `translate` keep it: in its canonical place, else under `context.small` (`unknown_fields` gives"
    " what you do not know). What is secret belongs in `secret_fields`"
)


def test_a_dialect_that_keeps_everything_passes(tmp_path: Path) -> None:
    assert kept(subject_of(tmp_path), "kept") == [
        "kept/a value at any place is in the event",
        "kept/another value makes another event",
        "kept/an unknown member is in the event",
        "kept/an unknown query parameter is in the event",
        "kept/a text of large and small letters is in the event as it is",
        "kept/a text between blanks is in the event as it is",
        "kept/a text of 300 characters is in the event as it is",
        "kept/a text that is not ASCII is in the event as it is",
        "kept/an object of every sort of value is in the event as it is",
        "kept/an object of 100 members is in the event as it is",
    ]


def without_context(item: Item, message_id: str, received: Received) -> Event:
    return attrs.evolve(small.translate(item, message_id, received), context={})


def without_at(item: Item, message_id: str, received: Received) -> Event:
    event = small.translate(item, message_id, received)
    own: Any = event.context.get("small", {})
    return attrs.evolve(event, context={"small": {name: each for name, each in own.items() if name != "at"}})


def test_an_unknown_member_that_is_dropped_is_named(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, with_route("event", translate=without_context))
    stored = (
        '{"project":"default","dialect":"small","type":"track","name":"paid","message_id":"e-1",'
        '"timestamp":"2026-01-02T03:04:05.678Z","received_at":"2026-01-02T03:04:05.678Z","user_id":"u-1",'
        '"properties":{"euros":5}}'
    )
    assert str(failure(subject, "kept/an unknown member is in the event")) == (
        "POST /small-api/v1/event of an_event_is_stored with an unknown member in the body was accepted,"
        f" and the event has 'kit canary' nowhere: {stored}{REMEDY}"
    )


def test_an_unknown_query_parameter_that_is_dropped_is_named(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, with_route("pixel", translate=without_context))
    found = str(failure(subject, "kept/an unknown query parameter is in the event"))
    assert found.startswith(
        "GET /small-api/v1/pixel of a_pixel_of_a_page_is_stored with an unknown query parameter was accepted,"
        " and the event has 'kit canary' nowhere: "
    )
    assert found.endswith(REMEDY)


def test_a_time_that_cannot_be_read_and_is_dropped_is_named(tmp_path: Path) -> None:
    case = small.case({"name": "paid", "id": "e-1", "at": "2024-03-01"})
    subject = subject_of(tmp_path, with_route("event", translate=without_at), {"a_time_is_read": case})
    found = str(failure(subject, "kept/a value at any place is in the event"))
    assert found.startswith(
        "POST /small-api/v1/event of a_time_is_read with 'kit canary' at /at of the body was accepted,"
        " and the event has 'kit canary' nowhere: "
    )
    assert found.endswith(REMEDY)


def deaf_to_times(item: Item, message_id: str, received: Received) -> Event | Fault:
    payload: Any = item.payload
    if "at" in payload and from_iso(payload["at"]) is None:
        return Fault("not_a_time", "/at")
    return attrs.evolve(without_at(item, message_id, received), timestamp=received.received_at)


def test_a_field_that_takes_only_times_and_is_ignored_is_named(tmp_path: Path) -> None:
    case = small.case({"name": "paid", "id": "e-1", "at": "2024-03-04T05:06:07Z"})
    subject = subject_of(tmp_path, with_route("event", translate=deaf_to_times), {"a_time_is_read": case})
    stored = (
        '{"project":"default","dialect":"small","type":"track","name":"paid","message_id":"e-1",'
        '"timestamp":"2026-01-02T03:04:05.678Z","received_at":"2026-01-02T03:04:05.678Z","context":{"small":{}}}'
    )
    assert str(failure(subject, "kept/another value makes another event")) == (
        "POST /small-api/v1/event of a_time_is_read with '2023-03-04T05:06:07Z' in the place of '2024-03-04T05:06:07Z'"
        f" at /at of the body was accepted, and became the same event: {stored}{REMEDY}"
    )


def parse_with_mode(request: Request) -> Submission:
    body, _ = json_or_fault(request.body)
    if isinstance(body, dict) and body.get("mode") not in (None, "test", "live"):
        return Submission(small.credentials(request), fault=Fault("enum", "/mode"))
    return attrs.evolve(small.parse_events(request), context={})


def test_a_field_beside_the_items_that_is_dropped_is_named_if_two_cases_have_it(tmp_path: Path) -> None:
    events = {"events": [{"id": "e-1", "name": "a"}]}
    modes = {mode: small.case({**events, "mode": mode}, "events") for mode in ("test", "live")}
    subject = subject_of(tmp_path, with_route("events", parse=parse_with_mode), modes)
    found = str(failure(subject, "kept/another value makes another event"))
    assert found.startswith(
        "POST /small-api/v1/events of live with 'test' in the place of 'live' at /mode of the body was accepted, and"
        " became the same event: "
    )
    assert found.endswith(REMEDY)


def test_a_secret_field_need_not_be_kept(tmp_path: Path) -> None:
    def parse(request: Request) -> Submission:
        submission = small.parse_event(request)
        [item] = submission.items or (small.item({}),)
        payload: Any = item.payload
        known = (
            {name: each for name, each in payload.items() if name != "pin"} if isinstance(payload, dict) else payload
        )
        return attrs.evolve(submission, items=(attrs.evolve(item, payload=known),) if submission.items else ())

    cases = {"a_pin_is_dropped": small.case({"name": "paid", "id": "e-1", "pin": "1234"})}
    dialect = with_route("event", parse=parse)
    assert str(failure(subject_of(tmp_path, dialect, cases), "kept/a value at any place is in the event")).startswith(
        "POST /small-api/v1/event of a_pin_is_dropped with 'kit canary' at /pin of the body was accepted, and the"
    )
    kept(subject_of(tmp_path, attrs.evolve(dialect, secret_fields=("pin",)), cases), "kept")


AS_SENT = (
    "have `translate` keep it as it was sent: not cut, trimmed, in other letters or of another type. What has no"
    " canonical place belongs under `context.small`"
)


@pytest.mark.parametrize(
    ("changed", "what", "text", "name"),
    [
        (str.lower, "a text of large and small letters", '"Kit CANARY text"', "kit canary text"),
        (str.strip, "a text between blanks", '"  kit canary \\t"', "kit canary"),
        (
            lambda name: name[:50],
            "a text of 300 characters",
            '"long long long long long long long long...',
            "long long long long long long long long long long ",
        ),
        (
            lambda name: name.encode("ascii", "ignore").decode(),
            "a text that is not ASCII",
            '"Gr\\u00f6\\u00dfe \\u6f22\\u5b57 \\ud83d\\ude...',
            "Gre   e",
        ),
    ],
)
def test_a_text_that_is_changed_is_named(
    tmp_path: Path, changed: Callable[[str], str], what: str, text: str, name: str
) -> None:
    def translate(item: Item, message_id: str, received: Received) -> Event:
        event = small.translate(item, message_id, received)
        return attrs.evolve(event, name=changed(str(event.name)))

    said = failure(
        subject_of(tmp_path, with_route("event", translate=translate)), f"kept/{what} is in the event as it is"
    )
    assert said.wrong == (
        f"POST /small-api/v1/event of an_event_is_stored with {what} at /name of the body was accepted, and the event"
        f' has {text} nowhere: {{"project":"default","dialect":"small","type":"track","name":"{name}",'
        '"message_id":"e-1","timestamp":"2026-01-02T03:04:05.678Z","received_at":"2026-01-02T03:04:05.678Z","user_id":"u-1",'
        '"properties":{"euros":5}}'
    )
    assert said.remedy == AS_SENT


def some(fields: Any) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


def first_fifty(fields: Any) -> dict[str, object]:
    return dict(list(fields.items())[:50])


def in_small_letters(fields: Any) -> dict[str, object]:
    return {name.lower(): value for name, value in fields.items()}


def as_texts(fields: Any) -> dict[str, object]:
    return {name: str(value) if isinstance(value, int) else value for name, value in fields.items()}


@pytest.mark.parametrize(
    ("changed", "what", "lost"),
    [
        (some, "an object of every sort of value", '"kit_null": null'),
        (in_small_letters, "an object of every sort of value", '"kitCanary Key": "Kit CANARY text"'),
        (as_texts, "an object of every sort of value", '"kit_false": false'),
        (first_fifty, "an object of 100 members", '"kit49": 49'),
    ],
)
def test_a_member_that_is_changed_or_dropped_is_named(
    tmp_path: Path, changed: Callable[[Any], dict[str, object]], what: str, lost: str
) -> None:
    def translate(item: Item, message_id: str, received: Received) -> Event:
        event = small.translate(item, message_id, received)
        return attrs.evolve(event, properties=changed(event.properties))

    said = failure(
        subject_of(tmp_path, with_route("event", translate=translate)), f"kept/{what} is in the event as it is"
    )
    wrong, _, event = said.wrong.partition(": {")
    assert wrong == (
        f"POST /small-api/v1/event of an_event_is_stored with {what} among the members of /properties of the body was"
        f" accepted, and the event has {lost} nowhere"
    )
    assert event.startswith('"project":"default","dialect":"small","type":"track","name":"paid",')
    assert said.remedy == AS_SENT
