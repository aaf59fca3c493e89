"""What Quill's clients send, as values. A schema has accepted a payload before it is read here."""

from collections.abc import Mapping
from typing import Any

from gateway.dialect import unknown_fields, value_class

_NOTE = frozenset({"id", "what", "who"})


@value_class
class Note:
    """Something that a person did. `extra` has the unknown fields."""

    what: str
    who: str | None
    extra: Mapping[str, object]

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> "Note":
        """Return the note in a decoded body."""
        return cls(what=payload["what"], who=payload.get("who"), extra=unknown_fields(payload, _NOTE))
