"""What Tranthor's SDKs send, as values read from JSON that met its schema.

The vendor's spellings stand here and in the schemas only.
"""

from collections.abc import Mapping

from dialects.tranthor.coerce import is_assigned, text
from gateway.dialect import NOTHING, EventType, value_class

Fields = Mapping[str, object]

KINDS: dict[str, EventType] = {
    "identify": "identify",
    "track": "track",
    "page": "page",
    "screen": "screen",
    "group": "group",
}
"""The vendor's types of messages, and the canonical type of each."""

TYPE, MESSAGE_ID, USER_ID, ANONYMOUS_ID, GROUP_ID = "type", "messageId", "userId", "anonymousId", "groupId"
BATCH, CONTEXT, SENT_AT = "batch", "context", "sentAt"
"""What a batch's body may have: its items, the context under that of each item, and the time when it was sent."""
WRITE_KEY_FIELD = "writeKey"
"""No SDK sends it, but a caller with Segment's habits might. It is a secret, so it is dropped."""

REQUIRED = {"track": (MESSAGE_ID, "event"), "group": (MESSAGE_ID, GROUP_ID)}
"""The fields that a type requires besides an id of the person; `messageId` alone for the types not named here."""

_COMMON = {"timestamp": "string", CONTEXT: "object"}
_PAGE = {"name": "string", **_COMMON, "properties": "object"}
FIELDS: dict[str, dict[str, str]] = {
    "identify": {**_COMMON, "traits": "object"},
    "track": {"event": "string", **_COMMON, "properties": "object", "files": "array"},
    "page": _PAGE,
    "screen": _PAGE,
    "group": {GROUP_ID: "string", "assigned": "boolean", **_COMMON, "traits": "object"},
}
"""The fields of each type besides its ids, with their JSON types, in the order in which upstream checks them."""

FILE_FIELDS = ("type", "name", "mimeType", "data")
"""The fields of a file, all of them required."""
FILE_TYPE = "Base64Encoded"

_KNOWN = {kind: frozenset({TYPE, MESSAGE_ID, USER_ID, ANONYMOUS_ID, *fields}) for kind, fields in FIELDS.items()}
_NAME = {"track": "event", "page": "name", "screen": "name"}


@value_class
class SentMessage:
    """One message of any type. An empty id or group id is None; `timestamp` is as it was sent.

    `assigned` is None except for a group. `extra` has the fields that the type does not know, a `type` other than the
    path's, and an id that is an object or a list: upstream accepts one beside a good other id.
    """

    type: EventType
    user_id: str | None
    anonymous_id: str | None
    name: str | None
    group_id: str | None
    assigned: bool | None
    timestamp: object
    properties: Fields
    traits: Fields
    context: Fields
    files: list[Fields] | None
    extra: Fields

    @classmethod
    def read(cls, kind: str, payload: Fields) -> "SentMessage":
        """Return the message of a payload that met the schema of its kind."""
        known = _KNOWN[kind]
        get = payload.get
        user_id, anonymous_id = text(get(USER_ID)), text(get(ANONYMOUS_ID))
        extra = NOTHING
        if not payload.keys() <= known or get(TYPE, kind) != kind or user_id is None or anonymous_id is None:
            extra = _extra(kind, payload)
        is_group = kind == "group"
        name = get(_NAME.get(kind, ""))
        return cls(
            type=KINDS[kind],
            user_id=user_id or None,
            anonymous_id=anonymous_id or None,
            name=text(name) if name is not None or kind == "track" else None,
            group_id=text(get(GROUP_ID)) or None if is_group else None,
            assigned=is_assigned(get("assigned")) if is_group else None,
            timestamp=get("timestamp"),
            properties=_object(get("properties")) if "properties" in known else NOTHING,
            traits=_object(get("traits")) if "traits" in known else NOTHING,
            context=_object(get(CONTEXT)),
            files=_files(get("files")) if kind == "track" else None,
            extra=extra,
        )


@value_class
class SentFile:
    """One file of a track message. `data` should be base64, but nobody has checked that."""

    name: str | None
    mime_type: str | None
    data: str
    extra: Fields

    @classmethod
    def read(cls, sent: Fields) -> "SentFile":
        """Return a file of a payload that met its schema."""
        return cls(
            name=text(sent["name"]),
            mime_type=text(sent["mimeType"]),
            data=text(sent["data"]) or "",
            extra={key: value for key, value in sent.items() if key not in FILE_FIELDS},
        )


def _extra(kind: str, payload: Fields) -> dict[str, object]:
    known = _KNOWN[kind]
    extra = {key: value for key, value in payload.items() if key not in known}
    if payload.get(TYPE, kind) != kind:  # the path decides; upstream lets the body override it
        extra[TYPE] = payload[TYPE]
    for name in (USER_ID, ANONYMOUS_ID):
        if text(payload.get(name)) is None:
            extra[name] = payload[name]
    return extra


def _object(value: object) -> Fields:
    return value if isinstance(value, dict) else NOTHING


def _files(value: object) -> list[Fields] | None:
    return value if isinstance(value, list) and value else None
