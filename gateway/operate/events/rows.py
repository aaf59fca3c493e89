"""Events in short, as a list shows them. Pure."""

from collections.abc import Mapping
from typing import Any

import orjson

from gateway.storage.read import Position

MAX_TEXT = 200
"""Characters that are shown of one value: what a client named may be a megabyte long."""
SHOWN = ("received_at", "project", "dialect", "type", "name", "message_id", "user_id", "anonymous_id")


def event_row(position: Position, line: bytes) -> dict[str, Any]:
    """Return an event in short: its position, its verdict and the fields of SHOWN, each cut at MAX_TEXT.

    A line that is no event has only null in them.
    """
    event = as_event(line)
    return {"position": position, "verdict": "stored", **{name: short(event.get(name)) for name in SHOWN}}


def as_event(line: bytes) -> Mapping[str, Any]:
    """Return the fields of a line; none of one that is no JSON object."""
    try:
        event = orjson.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def short(value: object) -> str | None:
    """Return a value as text of at most MAX_TEXT characters and an ellipsis; None for null."""
    if value is None:
        return None
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"
