"""The entries of `/` and `/batch`: their types, and their two forms.

An entry is flat, `{"type": "track", "name": ...}`, as every SDK sends it (recorded), or nested, as the vendor's page
has it: `{"type": "track", "payload": {"name": ...}}` (documented). Without a `type` it is a `track` (server).
"""

from collections.abc import Mapping

from dialects.databuddy import wire
from dialects.databuddy.wire import Vocabulary

ENTRIES: Mapping[str, tuple[str, str]] = {
    "track": ("track", "track"),
    "outgoing_link": ("outgoing_link", "outgoing_link"),
    "custom": ("custom", "legacy_custom"),
    "web_vitals": ("web_vital", "legacy"),
    "error": ("error", "legacy"),
}
"""Types, each with its item kind and schema. SDKs of 2025 send the last three."""

TYPES: Mapping[str, str] = {kind: type_ for type_, (kind, _schema) in ENTRIES.items()}
"""Item kinds, each with its type."""

SCHEMAS: tuple[str, ...] = tuple(dict.fromkeys(schema for _kind, schema in ENTRIES.values()))
"""The schemas that an entry may have."""

VOCABULARIES: Mapping[str, Vocabulary] = {
    "track": wire.PAGE.entry(),
    "outgoing_link": wire.LINK.entry(),
    "custom": wire.LEGACY.entry(),
    "web_vital": wire.VITAL.entry(),
    "error": wire.ERROR.entry(),
}
"""Item kinds, each with its fields."""

_REQUIRED: Mapping[str, str] = {"track": "name", "custom": "name", "outgoing_link": "href"}


def kind_and_schema(fields: Mapping[str, object]) -> tuple[str, str] | None:
    """Return the item kind and the schema of an entry; None if its type is unknown."""
    type_ = fields.get("type") or "track"
    return ENTRIES.get(type_) if isinstance(type_, str) else None


def nested(fields: dict[str, object], kind: str) -> dict[str, object] | None:
    """Return the `payload` of a nested entry, or None for a flat one, which may have a field of that name too."""
    payload = fields.get("payload")
    if not isinstance(payload, dict):
        return None
    required = _REQUIRED.get(kind)
    return payload if required is None or required in payload or required not in fields else None


def leftovers(fields: dict[str, object], payload: dict[str, object]) -> dict[str, object]:
    """Return what `context.databuddy` keeps of a nested entry: `envelope`, the fields around the payload.

    `{"type": "track", "payload": {"name": "a"}, "tenant": 7}` gives `{"envelope": {"tenant": 7}}`. The `eventId` of the
    entry is among them if the payload has its own. A `type` inside the payload is kept as `type`.
    """
    used = {"type", "payload"} if payload.get("eventId") else {"type", "payload", "eventId"}
    envelope = {key: value for key, value in fields.items() if key not in used}
    kept: dict[str, object] = {"envelope": envelope} if envelope else {}
    if "type" in payload:
        kept["type"] = payload["type"]
    return kept
