"""What the endpoints take and answer, for the OpenAPI document: summaries, examples, shapes. Facts only."""

from collections.abc import Mapping

from dialects.databuddy.credentials import API_KEY, IN_BODY, KEY_PLACES, SITE_PLACES, WEBSITE
from dialects.databuddy.entries import ENTRIES, TYPES
from gateway.dialect import Body, CredentialPlace, Description, JsonSchema, Parameter

_TEXT: JsonSchema = {"type": "string"}
_SUCCESS: JsonSchema = {"const": "success"}
_COUNT: JsonSchema = {"type": "integer", "minimum": 0}
_BY_TYPE: Mapping[str | None, str] = {
    None: ENTRIES["track"][1],
    **{type_: schema for type_, (_kind, schema) in ENTRIES.items()},
}
_SITE_NEEDED = {WEBSITE.name: (*SITE_PLACES, IN_BODY)}
_KEY_OR_SITE = {API_KEY.name: KEY_PLACES, WEBSITE.name: (*SITE_PLACES, IN_BODY)}
_PIXEL = {WEBSITE.name: (*SITE_PLACES, CredentialPlace("query", "websiteId")), API_KEY.name: KEY_PLACES}
_SCREEN_VIEW = {"type": "track", "name": "screen_view", "path": "/pricing", "title": "Pricing", "anonymousId": "a-1"}
_LINK = {"type": "outgoing_link", "href": "https://elsewhere.example/", "text": "Elsewhere", "anonymousId": "a-1"}


def _answer(**fields: JsonSchema) -> JsonSchema:
    properties = {"status": _SUCCESS, **fields}
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }


def _counted(type_: str) -> JsonSchema:
    return _answer(type={"const": type_}, count=_COUNT)


_RESULT: JsonSchema = {
    "type": "object",
    "required": ["status"],
    "properties": {
        "status": {"enum": ["success", "error"]},
        "type": {"enum": list(TYPES.values())},
        "eventId": _TEXT,
        "message": _TEXT,
        "eventType": {"description": "The type of an entry that was rejected, as it was sent."},
    },
}

ROUTES: Mapping[str, Description] = {
    "track": Description(
        "Track one custom event, or several.",
        body=Body(items="either"),
        examples={
            "one": {"name": "signup", "properties": {"plan": "pro"}},
            "several": [{"name": "signup"}, {"name": "paid", "eventId": "e-1", "timestamp": 1767323045678}],
        },
        answer=_counted("custom_event"),
        credentials=_KEY_OR_SITE,
    ),
    "batch": Description(
        "Send several entries, as the browser tracker does. An entry may also be wrapped in `payload`.",
        body=Body(items="many", most=100, types=_BY_TYPE),
        examples={"page_and_link": [_SCREEN_VIEW, _LINK]},
        answer=_answer(
            batch={"const": True},
            processed=_COUNT,
            batched={"type": "object", "properties": {"track": _COUNT, "outgoing_link": _COUNT}},
            results={"type": "array", "items": _RESULT},
        ),
    ),
    "single": Description(
        "Send one entry.",
        body=Body(types=_BY_TYPE),
        examples={"page": _SCREEN_VIEW, "link": _LINK},
        answer={
            "type": "object",
            "required": ["status", "type"],
            "properties": {"status": _SUCCESS, "type": {"enum": list(TYPES.values())}, "eventId": _TEXT},
            "additionalProperties": False,
        },
    ),
    "outgoing": Description(
        "Track one click on a link that leaves the site.",
        examples={"link": {name: value for name, value in _LINK.items() if name != "type"}},
        answer=_answer(type={"const": "outgoing_link"}),
    ),
    "vitals": Description(
        "Send web vitals of a page.",
        body=Body(items="many", most=20),
        examples={"one": [{"path": "/pricing", "metricName": "LCP", "metricValue": 1200.5}]},
        answer=_counted("web_vitals"),
    ),
    "errors": Description(
        "Send errors that were caught in a page.",
        body=Body(items="many", most=50),
        examples={"one": [{"path": "/pricing", "message": "x is undefined", "lineno": 12, "colno": 3}]},
        answer=_counted("error"),
    ),
    "events": Description(
        "Track custom events of the older trackers.",
        body=Body(items="many", most=100),
        examples={"one": [{"timestamp": 1767323045678, "path": "/pricing", "eventName": "opened"}]},
        answer=_counted("custom_event"),
    ),
    "engagement": Description(
        "Send spans of a visitor's attention to a page.",
        body=Body(items="many", most=20),
        examples={"one": [{"path": "/pricing", "timeOnPage": 31, "maxScrollDepth": 80}]},
        answer=_counted("engagement"),
    ),
    "identify": Description(
        "Say who a person is. A key may be sent too, but it does not stand for the site.",
        examples={"person": {"profileId": "p-1", "anonymousId": "a-1", "traits": {"plan": "pro"}}},
        answer=_answer(type={"const": "identify"}),
        credentials=_SITE_NEEDED,
    ),
    "llm": Description(
        "Send one call of a language model, or several.",
        body=Body(items="either"),
        examples={"one": {"type": "generate", "model": "m-1", "provider": "p", "usage": {"totalTokens": 12}}},
        answer=_counted("ai_call"),
        credentials={API_KEY.name: KEY_PLACES},
    ),
    "pixel": Description(
        "Send one event in the query. The answer is an image, also for an event that is rejected.",
        body=None,
        parameters=(
            Parameter("query", "type", {"enum": list(ENTRIES)}, "What the event is; without it, it is a `track`."),
            Parameter("query", "name", _TEXT, "The name of a track event."),
            Parameter("query", "path", _TEXT, "The page."),
            Parameter("query", "anonymousId", _TEXT, "The visitor."),
            Parameter("query", "eventId", _TEXT, "The id of the event: a retry with the same one is stored once."),
            Parameter("query", "timestamp", _TEXT, "Milliseconds since 1970, ISO 8601 or RFC 2822."),
            Parameter("query", "properties", _TEXT, "An object as JSON; `properties[plan]=pro` does the same."),
            Parameter("query", "fields", {"type": "object"}, "All other fields of the event.", is_rest=True),
        ),
        examples={"page": {"type": "track", "name": "screen_view", "path": "/pricing", "anonymousId": "a-1"}},
        credentials=_PIXEL,
    ),
}
"""By the name of the route."""

ERROR: JsonSchema = {
    "type": "object",
    "required": ["status", "message"],
    "properties": {"status": {"const": "error"}, "message": _TEXT},
    "additionalProperties": False,
}
