"""What callers of the HTTP API send, as values. A schema has accepted a payload before it is read here."""

from collections.abc import Mapping
from typing import Any

from gateway.dialect import NOTHING, value_class

ID_FIELDS = ("userId", "anonymousId")
_SHARED = frozenset({*ID_FIELDS, "timestamp"})
_TRACK = _SHARED | {"event", "properties"}
_IDENTIFY = _SHARED | {"traits"}


@value_class
class Track:
    """Something that a person did (documented). An empty id is None; `timestamp` has any type; `extra` is unknown."""

    event: str
    properties: Mapping[str, object]
    user_id: str | None
    anonymous_id: str | None
    timestamp: object
    extra: Mapping[str, object]

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> "Track":
        """Return the call in a decoded body."""
        return cls(
            event=payload["event"],
            properties=payload.get("properties") or NOTHING,
            user_id=payload.get("userId") or None,
            anonymous_id=payload.get("anonymousId") or None,
            timestamp=payload.get("timestamp"),
            extra=_unknown(payload, _TRACK),
        )


@value_class
class Identify:
    """What is known of a person (documented). The trait `$tags` is an array of texts, or one text (inferred)."""

    traits: Mapping[str, object]
    user_id: str | None
    anonymous_id: str | None
    timestamp: object
    extra: Mapping[str, object]

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> "Identify":
        """Return the call in a decoded body."""
        return cls(
            traits=payload.get("traits") or NOTHING,
            user_id=payload.get("userId") or None,
            anonymous_id=payload.get("anonymousId") or None,
            timestamp=payload.get("timestamp"),
            extra=_unknown(payload, _IDENTIFY),
        )


def _unknown(payload: Mapping[str, Any], known: frozenset[str]) -> Mapping[str, object]:
    if payload.keys() <= known:
        return NOTHING
    return {name: value for name, value in payload.items() if name not in known}
