"""The canonical event, to which every dialect translates, and its JSON form. Values only."""

from collections.abc import Mapping
from typing import Literal

import attrs
import orjson

from gateway.dialect.value_class import value_class

_BUFFER = 4096  # bytes; the rest of 8 KiB is then worth a copy, of a tenth of a microsecond
_SHORT = frozenset({str, float, bool, type(None)})

EventType = Literal["track", "page", "screen", "identify", "group", "alias"]


@value_class(kw_only=True)
class Event:
    """What happened, to whom and where, in the terms of the Segment spec.

    Times are RFC 3339 in UTC, with `Z` and at least milliseconds (see timestamps.py). `context` holds the surroundings
    under snake_case keys (`ip`, `user_agent`, `locale`, `timezone`, `page`, `screen`, `viewport`, `network`,
    `campaign`, `library`, `app`) and what has no other place under the dialect's name; see docs/events.md.

    A dialect leaves out `project`, `dialect`, `message_id` and `received_at`: the gateway sets them on every event.
    """

    project: str = ""
    dialect: str = ""
    type: EventType
    name: str | None = None
    message_id: str = ""
    timestamp: str
    sent_at: str | None = None
    received_at: str = ""
    anonymous_id: str | None = None
    user_id: str | None = None
    previous_id: str | None = None
    group_id: str | None = None
    session_id: str | None = None
    properties: Mapping[str, object] = attrs.field(factory=dict)
    traits: Mapping[str, object] = attrs.field(factory=dict)
    context: Mapping[str, object] = attrs.field(factory=dict)


def stamped(event: Event, project: str, dialect: str, message_id: str, received_at: str) -> dict[str, object]:
    """Return the event's fields as `as_dict` does, with these four in the place of the event's own."""
    return {
        "project": project,
        "dialect": dialect,
        "type": event.type,
        "name": event.name,
        "message_id": message_id,
        "timestamp": event.timestamp,
        "sent_at": event.sent_at,
        "received_at": received_at,
        "anonymous_id": event.anonymous_id,
        "user_id": event.user_id,
        "previous_id": event.previous_id,
        "group_id": event.group_id,
        "session_id": event.session_id,
        "properties": event.properties,
        "traits": event.traits,
        "context": event.context,
    }


def as_dict(event: Event) -> dict[str, object]:
    """Return the event's fields in their fixed order; the inner mappings are shared, not copied."""
    return stamped(event, event.project, event.dialect, event.message_id, event.received_at)


def encode(fields: Mapping[str, object]) -> bytes:
    """Return an event's fields as one line of UTF-8 JSON.

    Integers beyond 64 bits are written exactly. Raises TypeError, ValueError or RecursionError on
    what cannot be written (a lone surrogate, an `Unkept` mark, nesting beyond 250 levels).
    """
    try:
        return compact_json(fields)
    except TypeError as error:
        if "64-bit" not in str(error):
            raise
    return compact_json(_with_long_integers(fields))


def compact_json(value: object) -> bytes:
    """Return orjson's JSON in no more memory than it takes. Its own bytes keep the 8 KiB that it begins with."""
    written = orjson.dumps(value)
    return b"%b" % written if len(written) < _BUFFER else written


def _with_long_integers(node: object) -> object:
    """Return a value with its integers beyond 64 bits as orjson's fragments; itself if it has none."""
    if type(node) is int:
        return node if -(1 << 63) <= node < 1 << 64 else orjson.Fragment(str(node))
    if isinstance(node, Mapping):
        found = {key: each for key, child in node.items() if (each := _with_long_integers(child)) is not child}
        return {**node, **found} if found else node
    if isinstance(node, list):
        changed = node
        for index, child in enumerate(node):
            if type(child) in _SHORT or (each := _with_long_integers(child)) is child:
                continue
            if changed is node:
                changed = node.copy()
            changed[index] = each
        return changed
    return node


IDENTIFIERS = ("message_id", "anonymous_id", "user_id", "previous_id", "group_id", "session_id")
"""The fields that name a person, a group, a session or the event itself."""
