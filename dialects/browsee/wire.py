"""What callers of the HTTP API send, as values; constructors read payloads that their schema has let through."""

from collections.abc import Mapping
from typing import Any

from gateway.dialect import value_class

_PERSON = frozenset({"userId", "anonymousId", "timestamp"})
_TRACK = _PERSON | {"event", "properties"}
_IDENTIFY = _PERSON | {"traits"}
_EMPTY: Mapping[str, object] = {}


@value_class
class Track:
    """Something a person did (documented). An empty id is no id; `timestamp` is as sent, whatever it is."""

    event: str
    properties: Mapping[str, object]
    user_id: str | None
    anonymous_id: str | None
    timestamp: object
    extra: Mapping[str, object]

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> "Track":
        """Return the call that a decoded body holds."""
        take = payload.get
        return cls(
            payload["event"],
            take("properties") or _EMPTY,
            take("userId") or None,
            take("anonymousId") or None,
            take("timestamp"),
            _unknown(payload, _TRACK),
        )


@value_class
class Identify:
    """What is known of a person (documented). `$tags` among the traits is an array of texts, or one text (inferred)."""

    traits: Mapping[str, object]
    user_id: str | None
    anonymous_id: str | None
    timestamp: object
    extra: Mapping[str, object]

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> "Identify":
        """Return the call that a decoded body holds."""
        take = payload.get
        return cls(
            take("traits") or _EMPTY,
            take("userId") or None,
            take("anonymousId") or None,
            take("timestamp"),
            _unknown(payload, _IDENTIFY),
        )


def _unknown(payload: Mapping[str, Any], known: frozenset[str]) -> Mapping[str, object]:
    if payload.keys() <= known:
        return _EMPTY
    return {name: value for name, value in payload.items() if name not in known}
