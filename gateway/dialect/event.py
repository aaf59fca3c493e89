"""The canonical event: the one value that every dialect is translated to, and its JSON form. Values only."""

import json
from collections.abc import Mapping
from typing import Literal

import attrs
import orjson

EventType = Literal["track", "page", "screen", "identify", "group", "alias"]


@attrs.frozen(kw_only=True)
class Event:
    """What happened, to whom, where; in the terms of the Segment spec.

    Times are RFC 3339 in UTC, with `Z` and at least milliseconds (see timestamps.py). `context` holds the surroundings
    under snake_case keys (`ip`, `user_agent`, `locale`, `timezone`, `page`, `screen`, `viewport`, `network`,
    `campaign`, `library`, `app`) and, under the dialect's own name, what has no other place; see docs/events.md.

    `project`, `dialect`, `message_id` and `received_at` are the gateway's: it stamps them on every event, and a
    dialect leaves them out.
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
    """Return the event's fields with the four that say whose it is and when it came, whatever the dialect put there."""
    fields = as_dict(event)
    fields["project"], fields["dialect"] = project, dialect
    fields["message_id"], fields["received_at"] = message_id, received_at
    return fields


def as_dict(event: Event) -> dict[str, object]:
    """Return the event's fields in their fixed order; the inner mappings are shared, not copied."""
    return {
        "project": event.project,
        "dialect": event.dialect,
        "type": event.type,
        "name": event.name,
        "message_id": event.message_id,
        "timestamp": event.timestamp,
        "sent_at": event.sent_at,
        "received_at": event.received_at,
        "anonymous_id": event.anonymous_id,
        "user_id": event.user_id,
        "previous_id": event.previous_id,
        "group_id": event.group_id,
        "session_id": event.session_id,
        "properties": event.properties,
        "traits": event.traits,
        "context": event.context,
    }


def encode(fields: Mapping[str, object]) -> bytes:
    """Return an event's fields as one line of UTF-8 JSON.

    Integers beyond 64 bits are written exactly, on a slower road. Raises TypeError, ValueError or RecursionError
    on what JSON cannot hold (a lone surrogate, an `Unkept` mark, nesting beyond 250 levels).
    """
    try:
        return orjson.dumps(fields)
    except TypeError as error:
        if "64-bit" not in str(error):
            raise
    text = json.dumps(fields, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8")


IDENTIFIERS = ("message_id", "anonymous_id", "user_id", "previous_id", "group_id", "session_id")
"""The fields that name a person, a group, a session or the event itself."""
