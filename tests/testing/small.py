"""A small dialect that keeps every promise, and its corpus. Tests change a function of it, and see which check fails.

    POST /small-api/v1/event   one event: {"name": "paid", "id": "e-1", "user": "u-1", "at": "...", "properties": {}}
    POST /small-api/v1/events  {"events": [...]}
    GET  /small-api/v1/pixel   ?name=paid&site=...
    GET  /small-api/v1/status  stores nothing

A key is sent in `x-small-key`, a site in `?site=`.
"""

import json
from pathlib import Path
from typing import Any

import attrs

from gateway.dialect import (
    Accepted,
    Credential,
    CredentialKind,
    Dialect,
    Event,
    Fault,
    Item,
    OnInvalid,
    Received,
    Refusal,
    Request,
    Response,
    Route,
    StaticRoute,
    Submission,
    bounded,
    from_iso,
    json_or_fault,
    unknown_fields,
    visitor,
)
from gateway.testing.subject import Subject, subject

KEY = "sml_0123456789abcdef0123456789abcdef0123456789abcdef"
OTHER_KEY = "sml_fedcba9876543210fedcba9876543210fedcba9876543210"
REVOKED_KEY = "sml_00000000000000000000000000000000000000000000dead"
SITE = "6f1c0f0e-1d2c-4b3a-9a88-776655443322"
ORIGIN = "https://shop.example"
NOW = "2026-01-02T03:04:05.678Z"
_KNOWN = frozenset({"id", "name", "user", "at", "properties"})


def credentials(request: Request) -> tuple[Credential, ...]:
    key, site = request.headers.get("x-small-key"), request.query.get("site")
    keys = () if key is None else (Credential("api_key", key),)
    return keys if site is None else (*keys, Credential("site", site))


def parse_event(request: Request) -> Submission:
    body, fault = json_or_fault(request.body)
    if fault is not None:
        return Submission(credentials(request), fault=fault)
    return Submission(credentials(request), (item(body),), context=visitor(request))


def parse_events(request: Request) -> Submission:
    body, fault = json_or_fault(request.body)
    if fault is None and (not isinstance(body, dict) or not isinstance(body.get("events"), list)):
        fault = Fault("type", "/events", {"expected": "array"})
    if fault is not None:
        return Submission(credentials(request), fault=fault)
    assert isinstance(body, dict), "anything else has a fault"
    items = tuple([item(each) for each in bounded(body["events"])])
    beside = unknown_fields(body, frozenset({"events"}))
    return Submission(credentials(request), items, context={**visitor(request), "small": beside})


def parse_pixel(request: Request) -> Submission:
    payload = {name: value for name, value in request.query.items() if name != "site"}
    return Submission(credentials(request), (item(payload),), context=visitor(request))


def item(payload: object) -> Item:
    message_id = payload.get("id") if isinstance(payload, dict) else None
    return Item("event", "event", payload, message_id if isinstance(message_id, str) and message_id else None)


def translate(item: Item, message_id: str, received: Received) -> Event:
    payload: Any = item.payload
    sent = payload.get("at")
    timestamp = None if sent is None else from_iso(sent)
    beside: Any = received.context.get("small", {})
    own = {**beside, **unknown_fields(payload, _KNOWN)}
    if timestamp != sent:
        own["at"] = sent
    context = {name: value for name, value in received.context.items() if name != "small"}
    if own:
        context["small"] = own
    return Event(
        type="track",
        name=payload["name"],
        message_id=message_id,
        timestamp=timestamp or received.received_at,
        user_id=payload.get("user"),
        properties=payload.get("properties", {}),
        context=context,
    )


def render(accepted: Accepted) -> Response:
    return json_response(202, {"ids": [outcome.message_id for outcome in accepted.outcomes]})


def render_pixel(_accepted: Accepted) -> Response:
    return Response(204)


def refuse(_request: Request, refusal: Refusal) -> Response:
    headers = {"Allow": str(refusal.detail["allowed"])} if "allowed" in refusal.detail else {}
    return attrs.evolve(json_response(refusal.reason.status, {"refused": refusal.reason.value}), headers=headers)


def status(_request: Request) -> Response:
    return json_response(200, {"ok": True})


def json_response(status: int, body: object) -> Response:
    return Response(status, json.dumps(body, separators=(",", ":")).encode("ascii"))


EVENT = Route("event", ("/small-api/v1/event",), parse_event, translate, render, scope="write", schemas=("event",))
EVENTS = Route(
    "events",
    ("/small-api/v1/events",),
    parse_events,
    translate,
    render,
    scope="write",
    on_invalid=OnInvalid.QUARANTINE,
    schemas=("event",),
)
PIXEL = Route("pixel", ("/small-api/v1/pixel",), parse_pixel, translate, render_pixel, method="GET", schemas=("event",))

DIALECT = Dialect(
    name="small",
    title="Small",
    schemas="tests.testing.small_schemas",
    prefixes=("/small-api/",),
    kinds=(CredentialKind("api_key", "sml_{token}"), CredentialKind("site", "{uuid}", public=True, is_site=True)),
    routes=(EVENT, EVENTS, PIXEL),
    setting="SMALL_URL={url}",
    curl="curl {url}/small-api/v1/event -H 'x-small-key: {value}' -d '{\"name\":\"hello\"}'",
    refuse=refuse,
    static_routes=(StaticRoute(("/small-api/v1/status",), status),),
    scopes=("read", "write"),
    headers=("x-small-key",),
    scripts={"small.js": b"window.small = true;\n"},
)

CREDENTIALS: list[dict[str, Any]] = [
    {"kind": "api_key", "value": KEY},
    {"kind": "api_key", "value": OTHER_KEY, "project": "other"},
    {"kind": "api_key", "value": REVOKED_KEY, "revoked": True},
    {"kind": "site", "value": SITE, "origins": ["shop.example"]},
]


def event(name: str = "paid", **fields: object) -> dict[str, object]:
    """Return a stored event of the default project as the corpus writes it."""
    return {
        "project": "default",
        "dialect": "small",
        "type": "track",
        "name": name,
        "message_id": "e-1",
        "timestamp": NOW,
        "sent_at": None,
        "received_at": NOW,
        "anonymous_id": None,
        "user_id": None,
        "previous_id": None,
        "group_id": None,
        "session_id": None,
        "properties": {},
        "traits": {},
        "context": {},
        **fields,
    }


def _step(path: str, body: object, ids: list[str], **request: object) -> dict[str, Any]:
    headers = {"x-small-key": KEY, "Content-Type": "application/json"}
    return {
        "request": {"method": "POST", "path": f"/small-api/v1/{path}", "headers": headers, "json": body, **request},
        "answer": {"status": 202, "headers": {"Content-Type": "application/json"}, "json": {"ids": ids}},
    }


CASES: dict[str, dict[str, Any]] = {
    "an_event_is_stored": {
        "source": "small 1",
        "steps": [_step("event", {"id": "e-1", "name": "paid", "user": "u-1", "properties": {"euros": 5}}, ["e-1"])],
        "events": [event(user_id="u-1", properties={"euros": 5})],
    },
    "events_are_stored": {
        "source": "small 2",
        "steps": [
            _step("events", {"events": [{"id": "e-1", "name": "a"}, {"id": "e-2", "name": "b"}]}, ["e-1", "e-2"])
        ],
        "events": [event("a"), event("b", message_id="e-2")],
    },
    "a_pixel_of_a_page_is_stored": {
        "source": "small 3",
        "steps": [
            {
                "request": {
                    "method": "GET",
                    "path": f"/small-api/v1/pixel?name=seen&site={SITE}",
                    "headers": {"Origin": ORIGIN, "User-Agent": "Mozilla/5.0"},
                    "client_ip": "203.0.113.7",
                },
                "answer": {"status": 204},
            }
        ],
        "events": [
            event(
                "seen",
                message_id="00000000-0000-7000-8000-000000000001",
                context={"ip": "203.0.113.7", "user_agent": "Mozilla/5.0"},
            )
        ],
    },
}


def case(body: dict[str, Any], path: str = "event") -> dict[str, Any]:
    """Return a case of one event. What is stored of it is left out: for checks that do not look at it."""
    return {"source": "small 4", "steps": [_step(path, body, [body.get("id", "e-1")])], "events": []}


def with_route(name: str, **changes: Any) -> Dialect:
    """Return the small dialect with one route changed: `with_route("event", parse=...)`."""
    assert isinstance(DIALECT.routes, tuple)
    routes = tuple(attrs.evolve(route, **changes) if route.name == name else route for route in DIALECT.routes)
    return attrs.evolve(DIALECT, routes=routes)


def subject_of(
    folder: Path,
    dialect: Dialect = DIALECT,
    cases: dict[str, dict[str, Any]] = CASES,
    credentials: list[dict[str, Any]] = CREDENTIALS,
) -> Subject:
    """Return a dialect with a corpus that is written into a folder."""
    for name, document in {"_credentials": credentials, **cases}.items():
        (folder / f"{name}.json").write_text(json.dumps(document), "utf-8")
    return subject(dialect.name, folder, dialect)
