"""Canonical events to messages: the inverse of translate.py for events of this dialect. Pure.

Every message goes to `/batch`, as the SDKs send it. The context is free-form, so that it also takes what other dialects
know of an event.
"""

import base64
from collections.abc import Mapping
from typing import Any

from dialects.tranthor.times import read_time
from dialects.tranthor.wire import (
    ANONYMOUS_ID,
    BATCH,
    CONTEXT,
    FILE_TYPE,
    GROUP_ID,
    KINDS,
    MESSAGE_ID,
    SENT_AT,
    TYPE,
    USER_ID,
)
from gateway.dialect import Beside, Emitted, Files, OutboundItem, OutboundRoute, Source

NAME = "tranthor"
PREFIX = "/api/public/apps"
MOST_ITEMS = 100  # upstream writes a batch in slices of so many; it has no limit but the body's
MOST_BYTES = 5 * 1024 * 1024

OUTBOUND = (
    OutboundRoute("batch", f"{PREFIX}/batch", field=BATCH, most_items=MOST_ITEMS, most_bytes=MOST_BYTES),
    *[OutboundRoute(kind, f"{PREFIX}/{kind}", is_one=True, most_bytes=MOST_BYTES) for kind in KINDS],
)

_PAGE_FACTS = ("url", "path", "title", "referrer", "search")
_ALIASES = {"user_agent": "userAgent"}
_FOREIGN = {"session_id": "sessionId", "group_id": GROUP_ID, "previous_id": "previousId"}
"""Fields of an event that no message has, and where in the context Segment's libraries write them."""


def emit(event: Mapping[str, object], files: Files) -> Emitted:
    """Return the message of an event. One without an id of a person, or a group without its own, is not sent.

    An alias becomes an identify with both ids: the protocol has no message for it that is taken.
    """
    source = Source(event, NAME)
    kind = source.type if source.type in KINDS else "identify"
    payload: dict[str, object] = {TYPE: kind, MESSAGE_ID: source.field("message_id")}
    user_id, anonymous_id = source.field("user_id"), source.field("anonymous_id")
    if source.type == "alias" and anonymous_id is None:
        anonymous_id = source.field("previous_id")
    if user_id is None and anonymous_id is None:
        return source.not_sent("no_person")
    payload |= {key: value for key, value in ((USER_ID, user_id), (ANONYMOUS_ID, anonymous_id)) if value is not None}
    payload["timestamp"] = _time(source)
    if kind == "group":
        payload[GROUP_ID] = source.field("group_id")
        if payload[GROUP_ID] is None:
            return source.not_sent("no_group")
        if source.take_own("assigned") is False:
            payload["assigned"] = False
    _add_name(payload, source, kind)
    _add_facts(payload, source, kind)
    if source.has(NAME, "files") and source.own:
        _add_files(payload, source, files)
    extra = source.take_own("extra") or {}
    beside = _beside(source)
    context = _context(source, kind)
    if context:
        payload[CONTEXT] = context
    # The path decides the type of a message, if its body names another.
    route = kind if TYPE in extra else "batch"
    return Emitted((OutboundItem(route, payload | extra, beside),), source.lost())


def _time(source: Source) -> object:
    """Return the time as it was sent. What is no time becomes the time of receipt: upstream would take it for 1970."""
    timestamp, original = source.field("timestamp"), source.take_own("timestamp")
    if original is None:
        return timestamp
    if read_time(original)[0] == timestamp:
        return original
    source.lose(f"context.{NAME}.timestamp", "limit")
    return timestamp


def _add_name(payload: dict[str, object], source: Source, kind: str) -> None:
    name = source.field("name")
    if kind == "track":
        payload["event"] = name or ""
    elif name is not None and kind in ("page", "screen"):
        payload["name"] = name
    elif name is not None:
        source.lose("name")


def _add_facts(payload: dict[str, object], source: Source, kind: str) -> None:
    has = "traits" if kind in ("identify", "group") else "properties"
    for field, facts in (("properties", source.properties), ("traits", source.traits)):
        if not facts:
            continue
        if field == has:
            payload[field] = facts
        else:
            source.lose(f"{field}.*")


def _add_files(payload: dict[str, object], source: Source, files: Files) -> None:
    """Add the files whose contents are at hand; all or none, since a message with some of them would be another one."""
    sent = []
    facts: list[Mapping[str, Any]] = source.take_own("files")
    for each in facts:
        content = files.get(each["sha256"])
        if content is None:
            source.lose(f"context.{NAME}.files")
            return
        is_base64 = each.get("valid_base64", True)
        data = base64.b64encode(content).decode("ascii") if is_base64 else content.decode("utf-8")
        extra = each.get("extra", {})
        sent.append({TYPE: FILE_TYPE, "name": each["name"], "mimeType": each["mime_type"], "data": data, **extra})
    payload["files"] = sent


def _beside(source: Source) -> Beside:
    fields = dict(source.take_own("batch") or {})
    sent_at = source.field("sent_at")
    if sent_at is not None:
        fields.setdefault(SENT_AT, sent_at)
    return Beside(fields=fields)


def _context(source: Source, kind: str) -> dict[str, Any]:
    """Return the message's context: the canonical places in Segment's spelling, and what had no place.

    What other dialects keep for themselves stands under their name.
    """
    unplaced: dict[str, Any] = dict(source.take_own("context") or {})
    context: dict[str, Any] = {}
    for name in [name for name in source.rest() if not (source.own and name == NAME)]:
        value = source.take(name)
        if name == "page" and kind in ("page", "screen"):
            value = _beyond_properties(value, source.properties)
        if value != {} or source.event["context"][name] == {}:
            # Of two spellings the first counts, and the other one had no place.
            context[name if _ALIASES.get(name) in unplaced else _ALIASES.get(name, name)] = value
    for name, value in unplaced.items():
        placed = context.get(name)
        if isinstance(placed, dict) and isinstance(value, dict):
            context[name] = {**placed, **value}
        elif name in context:
            source.lose(f"context.{NAME}.context", "taken")
        else:
            context[name] = value
    for field, name in _FOREIGN.items():
        value = source.field(field)
        if value is not None:
            context.setdefault(name, value)
    return context


def _beyond_properties(page: Mapping[str, object], properties: Mapping[str, object]) -> dict[str, object]:
    """Return what a page's context says beyond its properties, from which upstream's readers take it too."""
    return {key: value for key, value in page.items() if key not in _PAGE_FACTS or properties.get(key) != value}
