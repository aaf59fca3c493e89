"""What Tranthor's SDKs send: one message of any of the five types, read from JSON that its schema let through."""

from collections.abc import Mapping

from dialects.tranthor.coerce import text, truth
from gateway.dialect import EventType, value_class

KINDS: dict[str, EventType] = {
    "identify": "identify",
    "track": "track",
    "page": "page",
    "screen": "screen",
    "group": "group",
}
"""The types of message by the vendor's name; the same words as ours."""

_COMMON = frozenset({"messageId", "userId", "anonymousId", "timestamp", "context", "type"})
_KNOWN = {
    "identify": _COMMON | {"traits"},
    "track": _COMMON | {"event", "properties", "files"},
    "page": _COMMON | {"name", "properties"},
    "screen": _COMMON | {"name", "properties"},
    "group": _COMMON | {"groupId", "assigned", "traits"},
}
_NAME = {"track": "event", "page": "name", "screen": "name"}
_EMPTY: Mapping[str, object] = {}


@value_class
class Message:
    """One message; an id or a group id that is empty is None. `timestamp` is as sent.

    `assigned` is only a group's. `extra` holds what the type does not know, and an id that is no scalar (upstream
    takes one beside a good other id).
    """

    type: EventType
    user_id: str | None
    anonymous_id: str | None
    name: str | None
    group_id: str | None
    assigned: bool | None
    timestamp: object
    properties: Mapping[str, object]
    traits: Mapping[str, object]
    context: Mapping[str, object]
    files: list[Mapping[str, object]] | None
    extra: Mapping[str, object]


def read(kind: str, payload: Mapping[str, object]) -> Message:
    """Return the message of a payload that met the schema of its kind."""
    known = _KNOWN[kind]
    get = payload.get
    user_id, anonymous_id = text(get("userId")), text(get("anonymousId"))
    extra = _EMPTY
    if not payload.keys() <= known or get("type", kind) != kind or user_id is None or anonymous_id is None:
        extra = _extra(kind, payload)
    is_group = kind == "group"
    named = get(_NAME.get(kind, ""))
    return Message(
        KINDS[kind],
        user_id or None,
        anonymous_id or None,
        text(named) if named is not None or kind == "track" else None,
        text(get("groupId")) or None if is_group else None,
        truth(get("assigned")) if is_group else None,
        get("timestamp"),
        _object(get("properties")) if "properties" in known else _EMPTY,
        _object(get("traits")) if "traits" in known else _EMPTY,
        _object(get("context")),
        _files(get("files")) if kind == "track" else None,
        extra,
    )


def _extra(kind: str, payload: Mapping[str, object]) -> dict[str, object]:
    known = _KNOWN[kind]
    extra = {key: value for key, value in payload.items() if key not in known}
    if payload.get("type", kind) != kind:  # the path decides; upstream lets the body override it
        extra["type"] = payload["type"]
    for name in ("userId", "anonymousId"):
        if text(payload.get(name)) is None:
            extra[name] = payload[name]
    return extra


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else _EMPTY


def _files(value: object) -> list[Mapping[str, object]] | None:
    return value if isinstance(value, list) and value else None
