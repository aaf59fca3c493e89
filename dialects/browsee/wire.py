"""What callers of the HTTP API send, as values. A schema has accepted a payload before it is read here.

The fields `page`, `ip` and `userAgent` are the gateway's own: the vendor has no place for the surroundings of an event.
"""

from collections.abc import Mapping
from typing import Any

from gateway.dialect import NOTHING, unknown_fields, value_class

ID_FIELDS = ("userId", "anonymousId")
PAGE = "page"
PAGE_FIELDS = ("url", "path", "title", "referrer", "search")
VISITOR: Mapping[str, str] = {"ip": "ip", "userAgent": "user_agent"}
"""Fields with facts about the visitor, and their keys in the context."""

_SHARED = frozenset({*ID_FIELDS, "timestamp"})
_TRACK = _SHARED | {"event", "properties"}
_IDENTIFY = _SHARED | {"traits"}
_SURROUNDINGS = frozenset({PAGE, *VISITOR})


@value_class
class Track:
    """Something that a person did (documented). An empty id is None; `timestamp` has any type.

    `surroundings` is a part of the canonical context. `extra` has the unknown fields.
    """

    event: str
    properties: Mapping[str, object]
    user_id: str | None
    anonymous_id: str | None
    timestamp: object
    surroundings: Mapping[str, object]
    extra: Mapping[str, object]

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> "Track":
        """Return the call in a decoded body."""
        surroundings, extra = _sorted(unknown_fields(payload, _TRACK))
        return cls(
            event=payload["event"],
            properties=payload.get("properties") or NOTHING,
            user_id=payload.get("userId") or None,
            anonymous_id=payload.get("anonymousId") or None,
            timestamp=payload.get("timestamp"),
            surroundings=surroundings,
            extra=extra,
        )


@value_class
class Identify:
    """What is known of a person (documented). The trait `$tags` is an array of texts, or one text (inferred)."""

    traits: Mapping[str, object]
    user_id: str | None
    anonymous_id: str | None
    timestamp: object
    surroundings: Mapping[str, object]
    extra: Mapping[str, object]

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> "Identify":
        """Return the call in a decoded body."""
        surroundings, extra = _sorted(unknown_fields(payload, _IDENTIFY))
        return cls(
            traits=payload.get("traits") or NOTHING,
            user_id=payload.get("userId") or None,
            anonymous_id=payload.get("anonymousId") or None,
            timestamp=payload.get("timestamp"),
            surroundings=surroundings,
            extra=extra,
        )


def _sorted(fields: Mapping[str, object]) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """Return the surroundings among a call's other fields, and what has no place there.

    `{"page": {"url": "https://a.example/", "title": 5}, "zzz": 1}` gives
    `({"page": {"url": "https://a.example/"}}, {"page": {"title": 5}, "zzz": 1})`.
    """
    if _SURROUNDINGS.isdisjoint(fields):
        return NOTHING, fields
    surroundings: dict[str, object] = {}
    extra: dict[str, object] = {}
    for name, value in fields.items():
        if name in VISITOR and value and isinstance(value, str):
            surroundings[VISITOR[name]] = value
        elif name == PAGE and isinstance(value, dict):
            page, rest = _page(value)
            if page:
                surroundings[PAGE] = page
            if rest:
                extra[PAGE] = rest
        elif value is not None or name not in _SURROUNDINGS:
            extra[name] = value
    return surroundings, extra


def _page(sent: Mapping[str, object]) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """Return the facts of a page that have a place in `context.page`, and the others. Null in a known field is none."""
    page: dict[str, object] = {}
    rest: dict[str, object] = {}
    for name, fact in sent.items():
        if name not in PAGE_FIELDS:
            rest[name] = fact
        elif isinstance(fact, str):
            page[name] = fact
        elif fact is not None:
            rest[name] = fact
    return page, rest
