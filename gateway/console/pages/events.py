"""The page Events: a search for events, the newest first, and a page for each event with all that is known of it."""

import json
import time
from collections.abc import Mapping
from typing import Any, get_args
from urllib.parse import quote, urlencode

from aiohttp import web

from gateway.console.page import (
    bad_request,
    choice_param,
    console_of,
    json_answer,
    not_found,
    render,
    text_param,
    time_param,
)
from gateway.dialect.event import EventType
from gateway.operate.events.details import GONE, event_details, pretty
from gateway.operate.events.search import search
from gateway.operate.formats import formats
from gateway.storage.read import EventFilter, LogReader, Position

TYPES: tuple[str, ...] = get_args(EventType)
FIELDS = ("id", "person", "name", "project", "dialect", "type", "since", "before")
"""The parameters of a search. `until` and `after` beside them say which page of it."""
MAX_SHOWN = 200_000
"""Characters of one text that the page shows; the JSON has the rest."""

_TEXT = {"type": ["string", "null"]}
POSITION = {"type": ["integer", "string"], "description": "An opaque token."}
ROW: dict[str, Any] = {
    "type": "object",
    "description": "An event in short. Long texts are cut.",
    "required": ["position", "verdict", "received_at", "project", "dialect", "type", "name", "message_id"],
    "properties": {
        "position": POSITION,
        "verdict": {"const": "stored"},
        **dict.fromkeys(("received_at", "project", "dialect", "type", "name"), _TEXT),
        **dict.fromkeys(("message_id", "user_id", "anonymous_id"), _TEXT),
    },
}
REQUEST = {
    "type": ["object", "null"],
    "description": "As it came, with credentials redacted; null where it is not kept.",
    "required": ["method", "path", "query", "headers", "client_ip", "size", "cut"],
    "properties": {"method": {"type": "string"}, "path": {"type": "string"}, "size": {"type": "integer"}},
}
ANSWER = {
    "type": ["object", "null"],
    "description": "What the client was answered, rendered again.",
    "required": ["status", "content_type", "headers"],
    "properties": {"status": {"type": "integer"}, "content_type": _TEXT, "headers": {"type": "object"}},
}
RECEIPT = {
    "type": ["object", "null"],
    "required": ["receipt", "project", "dialect", "route", "received_at", "items"],
    "properties": {"receipt": {"type": "string"}, "items": {"type": "array", "items": {"type": "object"}}},
}
PAGE = {
    "type": "object",
    "required": ["events", "older", "newer", "stopped", "searched_to"],
    "properties": {
        "events": {"type": "array", "items": ROW},
        "older": {"oneOf": [POSITION, {"type": "null"}], "description": "`until` of the next page."},
        "newer": {"oneOf": [POSITION, {"type": "null"}], "description": "`after` of the page before."},
        "stopped": {"type": "boolean", "description": "The search took too long; `older` goes on with it."},
        "searched_to": {**_TEXT, "description": "How far a search that stopped has got."},
    },
}
DETAILS = {
    "type": "object",
    "required": ["position", "event", "item", "request", "answer", "receipt", "notes"],
    "properties": {
        "position": POSITION,
        "event": {"description": "The canonical event."},
        "item": {"type": ["integer", "null"], "description": "The index of its item in the request."},
        "request": REQUEST,
        "answer": ANSWER,
        "receipt": RECEIPT,
        "notes": {"type": "array", "items": {"type": "string"}, "description": "Why something is not known."},
    },
}
MEANINGS = {
    "id": "A message id.",
    "person": "A user id or an anonymous id.",
    "name": "The exact name.",
    "project": "A project.",
    "dialect": "A dialect.",
    "type": "A type of event.",
    "since": "Received at this time or later: RFC 3339, or an age such as 24h.",
    "before": "Received before this time.",
    "until": "A cursor: the page of what is older.",
    "after": "A cursor: the page of what is newer.",
}


def parameters(*names: str) -> list[dict[str, object]]:
    """Return parameters of a query for OpenAPI."""
    typed: Mapping[str, object] = {"type": {"enum": list(TYPES)}}
    return [
        {"name": name, "in": "query", "description": MEANINGS[name], "schema": typed.get(name, {"type": "string"})}
        for name in names
    ]


def _answers(description: str, schema: object) -> dict[str, object]:
    return {"200": {"description": description, "content": {"application/json": {"schema": schema}}}}


OPERATIONS: Mapping[str, object] = {
    "/api/events": {
        "get": {
            "summary": "Search events, the newest first.",
            "description": "Only times have an index: a search stops after two seconds, and says how far it got.",
            "parameters": parameters(*FIELDS, "until", "after"),
            "responses": _answers("A page of events.", PAGE),
        }
    },
    "/api/events/{position}": {
        "get": {
            "summary": "All that is known of one event.",
            "parameters": [{"name": "position", "in": "path", "required": True, "schema": {"type": "string"}}],
            "responses": _answers("The event, its request, the answer and the receipt.", DETAILS),
        }
    },
}


async def facts(request: web.Request) -> dict[str, Any]:
    """Return a page of the search that the query asks for."""
    where = filter_of(request)
    async with console_of(request).store.log() as reader:
        until, after = position_param(request, reader, "until"), position_param(request, reader, "after")
        found = await search(reader, where, time.monotonic, until=until, after=after)
    return {
        "events": list(found.rows),
        "older": found.older,
        "newer": found.newer,
        "stopped": found.stopped,
        "searched_to": found.searched_to,
    }


def filter_of(request: web.Request) -> EventFilter:
    """Return the filter of a query with FIELDS. Raises HTTPBadRequest."""
    return EventFilter(
        message_id=text_param(request, "id"),
        person=text_param(request, "person"),
        name=text_param(request, "name"),
        project=text_param(request, "project"),
        dialect=text_param(request, "dialect"),
        type=choice_param(request, "type", TYPES),
        since=time_param(request, "since"),
        before=time_param(request, "before"),
    )


def position_param(request: web.Request, reader: LogReader, name: str) -> Position | None:
    """Return a parameter of the query that is a position. Raises HTTPBadRequest."""
    text = text_param(request, name)
    try:
        return None if text is None else reader.parse_position(text)
    except ValueError:
        raise bad_request(f"{name} is no position of this log") from None


async def page(request: web.Request) -> web.Response:
    """Answer with the page of a search."""
    found = await facts(request)
    asked = {name: text_param(request, name) for name in FIELDS}
    given = {name: value for name, value in asked.items() if value is not None}
    ways = {"older": "until", "newer": "after"}
    links = {
        f"{way}_page": None if found[way] is None else "/events?" + urlencode({**given, name: found[way]})
        for way, name in ways.items()
    }
    is_first = "until" not in request.query and "after" not in request.query
    dialects = sorted(console_of(request).installed)
    more = {"asked": asked, "types": TYPES, "dialects": dialects, "is_first": is_first, "first_page": None}
    more["formats"] = formats.usable()
    if not is_first:
        more["first_page"] = "/events?" + urlencode(given)
    return await render(request, "events.html", {**found, **more, **links})


async def api(request: web.Request) -> web.Response:
    """Answer with the same as JSON."""
    return json_answer(await facts(request))


async def details(request: web.Request) -> dict[str, Any]:
    """Return all that is known of the event at the position of the path. Raises HTTPNotFound."""
    console, text = console_of(request), request.match_info["position"]
    async with console.store.log() as reader, console.store.records() as records:
        try:
            position = reader.parse_position(text)
        except ValueError:
            raise not_found("this is no position of an event") from None
        found = await event_details(reader, records, lambda: console.installed, position)
        is_gone = found is None and await reader.is_gone(position)
    if is_gone:
        raise not_found(f"the event at position {position} {GONE}")
    if found is None:
        raise not_found(f"there is no event at position {position}; it may have been deleted")
    return found


async def details_page(request: web.Request) -> web.Response:
    """Answer with the page of one event."""
    found = await details(request)
    shown = {
        "row": found["event"] if isinstance(found["event"], dict) else {},
        "this_item": found["item"],
        "event_text": pretty(found["event"], MAX_SHOWN),
        "request_text": _body(found["request"]),
        "answer_text": _body(found["answer"]),
        "api": f"/api/events/{quote(str(found['position']), safe='')}",
    }
    return await render(request, "event.html", {**found, **shown})


async def details_api(request: web.Request) -> web.Response:
    """Answer with the same as JSON."""
    return json_answer(await details(request))


def _body(message: Mapping[str, Any] | None) -> str | None:
    """Return a body as the page shows it: JSON over several lines. None if there is none."""
    if message is None:
        return None
    body = str(message.get("body_base64", message.get("body")) or "")
    if not body:
        return None
    try:
        value = json.loads(body) if len(body) <= MAX_SHOWN else None
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict | list):
        return pretty(value, MAX_SHOWN)
    return body if len(body) <= MAX_SHOWN else body[:MAX_SHOWN] + "\n…"


ROUTES = [
    web.get("/events", page),
    web.get("/api/events", api),
    web.get("/events/{position}", details_page),
    web.get("/api/events/{position}", details_api),
]
