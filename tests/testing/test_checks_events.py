"""The checks of events and of the functions that make them, with a dialect that keeps each promise and with others."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

from gateway.dialect import Event, Item, Received, Request, Submission, from_iso
from tests.testing import small
from tests.testing.checking import failure, kept

CASE = "POST /small-api/v1/event of an_event_is_stored"
FITS = "events/each fits the canonical schema"
BROWSER = "facts/a browser's address and user agent are its visitor's"
SERVER = "facts/a server's address and user agent are not kept"
PLACES = "facts/a known fact is in its canonical place"
COPIED = "copy before you change: {**fields, ...} makes another object"
ALONE = "make the event of the item and of Received alone, without chance or an object of the module that is changed"
FROM_VISITOR = (
    "return visitor(request) of gateway.dialect in Submission.context, and begin the event's context with "
    "Received.context"
)


def test_a_good_dialect_keeps_every_promise(tmp_path: Path) -> None:
    assert kept(small.subject_of(tmp_path), "events") == [
        FITS,
        "events/only the gateway says whose it is",
        "events/an id that is not known is null",
        "events/what happened has a name",
    ]
    assert kept(small.subject_of(tmp_path), "facts") == [
        BROWSER,
        SERVER,
        "facts/the context has canonical places and the dialect's own",
        PLACES,
        "facts/what is no property does not become one by its name",
    ]
    assert kept(small.subject_of(tmp_path), "purity") == [
        "purity/parse gives the same again, and changes nothing",
        "purity/translate changes nothing that it is given",
        "purity/translate gives the same again, whatever came before",
        "purity/translate reads no clock",
        "purity/no function asks a clock, chance or the machine",
        "purity/no file, socket, thread or process is touched, and nothing sleeps",
        "purity/nothing is held of what came",
    ]


def changed(change: Callable[[Event], Event]) -> Any:
    """Return a dialect whose route `event` makes other events than it should."""
    return small.with_route("event", translate=lambda *given: change(small.translate(*given)))


CHANGES = {
    "is not canonical": (
        FITS,
        lambda event: attrs.evolve(event, timestamp="today"),
        "POST /small-api/v1/event, step 1 of an_event_is_stored, became an event that is not canonical: /timestamp of "
        "the event breaks the rule `pattern` of jsonschemas/canonical/event.json",
        "have `translate` put a value only where its type fits (docs/events.md has the places), and keep another one "
        "under `context.small`",
    ),
    "chooses a project": (
        "events/only the gateway says whose it is",
        lambda event: attrs.evolve(event, project="mine"),
        f"{CASE}: `translate` gives event 0 the project 'mine', not 'a-project-of-the-kit'",
        "leave project out of the Event: the gateway sets it, whatever a request or a dialect says",
    ),
    "has an empty id": (
        "events/an id that is not known is null",
        lambda event: attrs.evolve(event, user_id=""),
        f"{CASE}: `translate` gives event 0 an empty user_id",
        'make it None: Event(user_id=sent or None), for all that were sent as "" would be one',
    ),
    "has no name": (
        "events/what happened has a name",
        lambda event: attrs.evolve(event, name=None, properties={"name": event.name}),
        f"{CASE}: `translate` makes a track event without a name, and none of this route's has one",
        "put into Event.name what happened",
    ),
    "has no visitor": (
        BROWSER,
        lambda event: attrs.evolve(event, context={}),
        f"{CASE}, sent by a browser from 203.0.113.77 with a User-Agent: context.ip of event 0 is empty, and not "
        "'203.0.113.77'",
        FROM_VISITOR,
    ),
    "has a context of its own": (
        "facts/the context has canonical places and the dialect's own",
        lambda event: attrs.evolve(event, context={**event.context, "sdk": "1.0"}),
        f"{CASE}: the context of event 0 has sdk",
        "put it into its canonical place (docs/events.md), or into context.small",
    ),
    "is of today": (
        "purity/translate reads no clock",
        lambda event: attrs.evolve(event, sent_at=from_iso(datetime.now(UTC).isoformat())),
        f"{CASE}: sent_at of event 0 is of today, and the request arrived on 2026-01-02",
        "take Received.received_at for a time that the client did not send",
    ),
    "is another one each time": (
        "purity/translate gives the same again, whatever came before",
        lambda event: attrs.evolve(event, properties={"at": time.perf_counter()}),
        f"{CASE}: `translate` gives another properties.at of event 0 again",
        ALONE,
    ),
}


@pytest.mark.parametrize("why", CHANGES)
def test_an_event_is_told_that(tmp_path: Path, why: str) -> None:
    name, change, wrong, remedy = CHANGES[why]
    said = failure(small.subject_of(tmp_path, changed(change)), name)
    assert (said.wrong, said.remedy) == (wrong, remedy)


def always_a_visitor(request: Request) -> Submission:
    own = {"ip": request.client_ip or "", "user_agent": request.headers.get("user-agent", "")}
    return attrs.evolve(small.parse_event(request), context=own)


def test_the_address_of_a_server_is_told(tmp_path: Path) -> None:
    dialect = small.with_route("event", parse=always_a_visitor)
    said = failure(small.subject_of(tmp_path, dialect), SERVER)
    assert said.wrong == (
        f"{CASE}, sent by a server (it shows a secret, and neither Origin nor Sec-Fetch-Site): context.ip of event "
        "0 is that of the server"
    )
    assert said.remedy == FROM_VISITOR


def image_with_a_visitor(request: Request) -> Submission:
    own = {"ip": request.client_ip or "", "user_agent": request.headers.get("user-agent", "")}
    return attrs.evolve(small.parse_pixel(request), context=own)


def test_an_image_on_a_page_of_plain_http_has_a_visitor(tmp_path: Path) -> None:
    subject = small.subject_of(tmp_path, small.with_route("pixel", parse=image_with_a_visitor))
    assert SERVER in kept(subject, "facts")


def page(event: Event) -> Event:
    return attrs.evolve(event, type="page", name=None, properties={"name": event.name})


def test_a_page_needs_no_name(tmp_path: Path) -> None:
    assert "events/what happened has a name" in kept(small.subject_of(tmp_path, changed(page)), "events")


def test_the_title_of_a_page_that_is_kept_elsewhere_is_told(tmp_path: Path) -> None:
    cases = {"an_event_is_stored": small.case({"name": "a", "title": "Prices"})}
    dialect = attrs.evolve(changed(page), schemas="tests.testing.visit_schemas")
    said = failure(small.subject_of(tmp_path, dialect, cases), PLACES)
    assert said.wrong == f"{CASE}: title of item 0 is kept as context.small.title, and context.page.title is empty"
    assert said.remedy == "put it into context.page.title in `translate`; docs/events.md says what goes where"


@pytest.mark.parametrize(
    ("sent", "field", "kept", "place"),
    [
        ({"userAgent": "Phone/1"}, "userAgent", "context.small.userAgent", "context.user_agent"),
        (
            {"device": {"timezone": "Asia/Tokyo"}},
            "device.timezone",
            "context.small.device.timezone",
            "context.timezone",
        ),
    ],
)
def test_a_fact_that_is_kept_as_unknown_is_told(
    tmp_path: Path, sent: dict[str, Any], field: str, kept: str, place: str
) -> None:
    case = visits(tmp_path, sent)
    said = failure(case, PLACES)
    assert said.wrong == f"{CASE}: {field} of item 0 is kept as {kept}, and {place} is empty"
    assert said.remedy == f"put it into {place} in `translate`; docs/events.md says what goes where"


@pytest.mark.parametrize(
    "sent", [{"properties": {"locale": "de", "userAgent": "a"}}, {"user_agent": "Phone/1"}, {"userAgent": ""}]
)
def test_what_a_client_names_itself_is_its_own_affair(tmp_path: Path, sent: dict[str, Any]) -> None:
    assert PLACES in kept(visits(tmp_path, sent), "facts")


def visits(folder: Path, sent: dict[str, Any]) -> Any:
    """Return a dialect whose schema describes who visits, with one case."""
    request = {"path": "/small-api/v1/event", "headers": {"x-small-key": small.KEY}, "json": {"name": "a", **sent}}
    cases = {"an_event_is_stored": {"source": "small 1", "steps": [{"request": request, "answer": {"status": 202}}]}}
    return small.subject_of(folder, attrs.evolve(small.DIALECT, schemas="tests.testing.visit_schemas"), cases)


def popping(item: Item, message_id: str, received: Received) -> Event:
    event = small.translate(item, message_id, received)
    payload: Any = item.payload
    payload.pop("user", None)
    return event


def test_a_translate_that_changes_its_item_is_told(tmp_path: Path) -> None:
    dialect = small.with_route("event", translate=popping)
    said = failure(small.subject_of(tmp_path, dialect), "purity/translate changes nothing that it is given")
    assert said.wrong == f"{CASE}: `translate` changes payload of item 0"
    assert said.remedy == COPIED


def marking(item: Item, message_id: str, received: Received) -> Event:
    context: Any = received.context
    context["library"] = {"name": "small"}
    return small.translate(item, message_id, received)


def test_a_translate_that_changes_what_items_share_is_told(tmp_path: Path) -> None:
    dialect = small.with_route("event", translate=marking)
    said = failure(small.subject_of(tmp_path, dialect), "purity/translate changes nothing that it is given")
    assert said.wrong == f"{CASE}: `translate` changes context of Received, which all items of a request share"
    assert said.remedy == COPIED


def remembering() -> Any:
    seen: dict[str, Any] = {}

    def translate(item: Item, message_id: str, received: Received) -> Event:
        payload: Any = item.payload
        seen.update(payload.get("properties", {}))
        return attrs.evolve(small.translate(item, message_id, received), properties=seen)

    assert isinstance(small.DIALECT.routes, tuple)
    routes = tuple([attrs.evolve(route, translate=translate) for route in small.DIALECT.routes])
    return attrs.evolve(small.DIALECT, routes=routes)


def test_a_translate_that_remembers_other_events_is_told(tmp_path: Path) -> None:
    cases = {
        name: small.CASES["an_event_is_stored"] | {"steps": [step(path, body)]}
        for name, path, body in (
            ("an_event_is_stored", "event", {"id": "e-1", "name": "paid", "properties": {"a": 1}}),
            ("events_are_stored", "events", {"events": [{"id": "e-2", "name": "b", "properties": {"b": 2}}]}),
        )
    }
    case = small.subject_of(tmp_path, remembering(), cases)
    said = failure(case, "purity/translate gives the same again, whatever came before")
    assert said.wrong == f"{CASE}: `translate` gives another properties of event 0 once other requests have come"
    assert said.remedy == ALONE


def step(path: str, body: object) -> dict[str, Any]:
    headers = {"x-small-key": small.KEY}
    return {"request": {"path": f"/small-api/v1/{path}", "headers": headers, "json": body}, "answer": {"status": 202}}


def lowering(request: Request) -> Submission:
    headers: Any = request.headers
    headers["x-small-key"] = headers.get("x-small-key", "").lower()
    return small.parse_event(request)


def test_a_parse_that_changes_its_request_is_told(tmp_path: Path) -> None:
    dialect = small.with_route("event", parse=lambda request: lowering(request))
    request = small.CASES["an_event_is_stored"]["steps"][0]["request"]
    loud = {**request, "headers": {"x-small-key": small.KEY.upper().replace("SML", "sml")}}
    cases = {"an_event_is_stored": {"source": "small 1", "steps": [{"request": loud, "answer": {"status": 202}}]}}
    said = failure(small.subject_of(tmp_path, dialect, cases), "purity/parse gives the same again, and changes nothing")
    assert said.wrong == f"{CASE}: `parse` changes headers.x-small-key of its Request"
    assert said.remedy == COPIED
