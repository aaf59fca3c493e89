import json
from typing import Any

import attrs
import pytest

from gateway.dialect.event import Event, as_dict, encode
from gateway.ingest import schema
from tests.kit.cases import Case, load

SCHEMA = schema.load("jsonschemas.canonical")["event"]
EVENT = Event(
    project="shop",
    dialect="acme",
    type="track",
    message_id="m-1",
    timestamp="2024-03-01T00:00:00.000Z",
    received_at="2024-03-01T00:00:00.000123Z",
)
OBJECTS = ("page", "campaign", "screen", "viewport", "network", "library", "app", "device", "os")


def decoded(**changes: Any) -> dict[str, Any]:
    whole = json.loads(encode(as_dict(EVENT)))
    assert isinstance(whole, dict)
    return {**whole, **changes}


def test_an_event_as_it_is_written_meets_the_schema_field_by_field_in_order() -> None:
    fields = [field.name for field in attrs.fields(Event)]
    assert (SCHEMA.explain(decoded()), SCHEMA.is_valid(decoded())) == ((), True)
    assert list(as_dict(EVENT)) == fields == SCHEMA.document["required"] == list(SCHEMA.document["properties"])


@pytest.mark.parametrize("field", [field.name for field in attrs.fields(Event)])
def test_no_field_may_be_missing(field: str) -> None:
    event = decoded()
    del event[field]
    assert not SCHEMA.is_valid(event)


@pytest.mark.parametrize(
    "changes",
    [
        {"more": 1},
        {"type": "click"},
        {"message_id": ""},
        {"message_id": None},
        {"user_id": 1},
        {"properties": None},
        {"properties": []},
        {"timestamp": None},
        {"timestamp": "2024-03-01T00:00:00Z"},
        {"timestamp": "2024-03-01T00:00:00.000+00:00"},
        {"timestamp": "2024-03-01 00:00:00.000Z"},
        {"timestamp": "2024-13-01T00:00:00.000Z"},
        {"timestamp": "2024-03-01T24:00:00.000Z"},
        {"received_at": "2024-03-01T00:00:00.000Z\n"},
        {"sent_at": ""},
    ],
)
def test_what_is_no_event_does_not_meet_the_schema(changes: dict[str, object]) -> None:
    event = decoded(**changes)
    assert (SCHEMA.is_valid(event), SCHEMA.explain(event) == ()) == (False, False)


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"page": {"url": "https://a.example/x?y=1", "path": "/x", "search": "?y=1", "title": "T", "referrer": ""}},
        {"page": {"tab": 5}, "screen": {"width": 1920, "height": 1080, "density": 1.5}, "active": True},
        {"app": {"id": "a-1", "build": 17}, "network": {"type": "4g", "rtt": 50, "downlink": 1.5}},
        {"ip": "203.0.113.9", "user_agent": "M", "locale": "de", "timezone": "UTC", "device": {}, "os": {"name": 1}},
        {"acme": {"page": "cart"}, "library": {"name": "web", "version": "2.6.0"}, "campaign": {"source": "news"}},
    ],
)
def test_a_context_has_its_facts_in_their_places_and_may_have_others(context: dict[str, object]) -> None:
    event = decoded(context=context)
    assert (SCHEMA.explain(event), SCHEMA.is_valid(event)) == ((), True)


@pytest.mark.parametrize(
    "context",
    [
        {"ip": 1},
        {"user_agent": None},
        {"locale": ["de"]},
        {"timezone": {}},
        *({place: "text"} for place in OBJECTS),
        *({place: None} for place in OBJECTS),
        {"page": {"title": 5}},
        {"page": {"search": None}},
        {"campaign": {"gclid": 5}},
        {"screen": {"width": "1920"}},
        {"viewport": {"height": 900.5}},
        {"network": {"rtt": "50"}},
        {"library": {"version": 2}},
        {"app": {"build": True}},
    ],
)
def test_a_fact_of_another_type_than_its_places_does_not_meet_the_schema(context: dict[str, object]) -> None:
    event = decoded(context=context)
    assert (SCHEMA.is_valid(event), SCHEMA.explain(event) == ()) == (False, False)


@pytest.mark.parametrize("case", load(), ids=lambda case: f"{case.dialect}-{case}")
def test_every_event_of_the_corpus_meets_the_schema(case: Case) -> None:
    for event in case.events:
        assert SCHEMA.explain(event) == ()
