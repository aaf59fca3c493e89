"""Whatever field a client adds or fills, its value is found again in the event."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialects.databuddy import dialect
from gateway.dialect import Event, Received, Request, Route
from gateway.dialect.event import stamped
from gateway.ingest.schema import load

SCHEMAS = load("jsonschemas.databuddy")
ROUTES = {route.name: route for route in dialect.routes_for(frozenset())}
OWN = ["tenant", "payload", "type", "name", "title", "href", "language", "path", "namespace", "properties", "traits"]
OWN += ["referrer", "viewport_size", "rtt", "utm_source", "ip", "userAgent", "sessionStartTime"]


def fields_of(schema: str) -> dict[str, Any]:
    document = SCHEMAS[schema].document
    properties = document.get("properties") or document.get("$defs", {}).get("event", {}).get("properties", {})
    return dict(properties)


def value_for(rules: dict[str, Any], number: int, own: Any) -> Any:
    """A value that only one field has, of a type that its field may have."""
    if "enum" in rules:
        return rules["enum"][0]
    types = rules.get("type", ["string"])
    if "string" in types and "number" not in types:
        return f"value-{number}"
    if "number" in types:
        return 10_000 + number
    return own


@st.composite
def items(draw: st.DrawFn, schema: str) -> dict[str, Any]:
    numbers = itertools.count(1)
    fields = fields_of(schema)
    names = draw(st.lists(st.sampled_from([*fields, *OWN]), unique=True))
    names += [name for name in ("name", "href", "path", "metricName", "metricValue", "message") if name in fields]
    names += [name for name in ("eventName", "timestamp", "profileId", "type", "model", "provider") if name in fields]
    item: dict[str, Any] = {}
    for name in dict.fromkeys(names):
        inner = draw(st.lists(st.sampled_from(["a", *fields, *OWN]), unique=True, max_size=4))
        own = {key: f"value-{next(numbers)}" for key in inner}
        item[name] = value_for(fields.get(name, {}), next(numbers), own)
    return item


def leaves(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {leaf for each in value.values() for leaf in leaves(each)}
    if isinstance(value, list):
        return {leaf for each in value for leaf in leaves(each)}
    return {str(value)}


def events_of(route: Route, body: Any) -> list[dict[str, Any]]:
    """Return the events as they are stored, with what the gateway stamps on each."""
    request = Request("POST", "/", {"client_id": "the-site"}, {}, json.dumps(body).encode(), 0)
    submission = route.parse(request)
    received = Received("p", "the-site", "2026-01-02T03:04:05.678Z", None, submission.context)
    events = []
    for item in submission.items:
        assert SCHEMAS[item.schema].explain(item.payload) == ()
        message_id = item.message_id or "made"
        event = route.translate(item, message_id, received)
        assert isinstance(event, Event)
        events.append(stamped(event, received.project, dialect.name, message_id, received.received_at))
    return events


@pytest.mark.parametrize(
    ("route", "schema"),
    [
        ("track", "custom"),
        ("vitals", "web_vital"),
        ("errors", "error"),
        ("events", "named_event"),
        ("engagement", "engagement"),
        ("identify", "identify"),
        ("llm", "llm"),
        ("outgoing", "outgoing_link"),
    ],
)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_no_field_of_a_flat_item_is_lost(route: str, schema: str, data: st.DataObject) -> None:
    item = data.draw(items(schema))
    one = route in ("identify", "outgoing")
    [event] = events_of(ROUTES[route], item if one else [item])
    if not isinstance(item.get("timestamp"), str):
        item.pop("timestamp", None)
    assert leaves(item) - leaves(event) == set()


@pytest.mark.parametrize(
    ("kind", "schema"),
    [("track", "track"), ("outgoing_link", "outgoing_link"), ("custom", "legacy_custom"), ("error", "legacy")],
)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_no_field_of_an_entry_is_lost_flat_or_wrapped(kind: str, schema: str, data: st.DataObject) -> None:
    inner = data.draw(items(schema))
    item = {**inner, "type": kind}
    if data.draw(st.booleans()):
        outer = {key: value for key, value in data.draw(items(schema)).items() if key in ("eventId", "tenant", "title")}
        item = {**{key: f"outer-{value}" for key, value in outer.items()}, "type": kind, "payload": inner}
    elif isinstance(item.get("payload"), dict):
        del item["payload"]
    [event] = events_of(ROUTES["batch"], [item])
    timestamp = inner.pop("timestamp", None)
    item.pop("timestamp", None)
    item.pop("type")
    assert timestamp is None or event["timestamp"].startswith("1970-01-01T00:00:1")
    assert leaves(item) - leaves(event) == set()


def test_what_loses_its_name_to_another_is_kept_in_the_order_of_the_properties() -> None:
    names = [f"field-{number}" for number in range(20)]
    item = {"name": "a", "properties": dict.fromkeys(names, 1), **dict.fromkeys(reversed(names), 2)}
    [event] = events_of(ROUTES["track"], item)
    assert list(event["properties"].items()) == [(name, 1) for name in names]
    assert list(event["context"]["databuddy"]["extra"].items()) == [(name, 2) for name in names]
