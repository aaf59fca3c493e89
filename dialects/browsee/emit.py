"""Canonical events to calls: the inverse of translate.py for events of this dialect. Pure."""

from collections.abc import Mapping

from dialects.browsee.wire import PAGE, PAGE_FIELDS, VISITOR
from gateway.dialect import Emitted, Files, OutboundItem, OutboundRoute, Source, as_track, from_iso, spread

NAME = "browsee"

OUTBOUND = (
    OutboundRoute("track", "/api/v1/track", is_one=True),
    OutboundRoute("identify", "/api/v1/identify", is_one=True),
)


def emit(event: Mapping[str, object], _files: Files) -> Emitted:
    """Return the call of an event. One without an id of a person, or without a name, is not sent.

    A page, a screen and a group become events. An alias becomes an identify with both ids, which links them.
    """
    source = Source(event, NAME)
    is_person = source.type in ("identify", "alias")
    payload: dict[str, object] = {}
    if not is_person:
        name = as_track(source)
        if not name:
            return source.not_sent("no_name")
        payload["event"] = name
    user_id, anonymous_id = source.field("user_id"), source.field("anonymous_id")
    if source.type == "alias" and anonymous_id is None:
        anonymous_id = source.field("previous_id")
    if user_id is None and anonymous_id is None:
        return source.not_sent("no_person")
    payload |= {key: value for key, value in (("userId", user_id), ("anonymousId", anonymous_id)) if value is not None}
    payload["timestamp"] = _time(source)
    if source.own:
        _add_surroundings(payload, source)
    elif not is_person:
        spread(source)
    _add_facts(payload, source, "traits" if is_person else "properties")
    return Emitted((OutboundItem("identify" if is_person else "track", payload),), source.lost())


def _time(source: Source) -> object:
    """Return the time as it was sent. What the switch `lenient_timestamps` has let in is no time for the vendor."""
    timestamp, original = source.field("timestamp"), source.take_own("timestamp")
    if original is None:
        return timestamp
    if isinstance(original, str) and from_iso(original) is not None:
        return original
    source.lose(f"context.{NAME}.timestamp", "limit")
    return timestamp


def _add_facts(payload: dict[str, object], source: Source, field: str) -> None:
    facts, others = source.properties, source.traits
    if field == "traits":
        facts, others = others, facts
    if facts:
        payload[field] = facts
    if others and source.type != "group":  # whose traits are among the properties by now
        source.lose("properties.*" if field == "traits" else "traits.*")


def _add_surroundings(payload: dict[str, object], source: Source) -> None:
    """Add an own event's surroundings where the gateway has read them, and its unknown fields.

    The vendor has no place for them: those of other dialects' events go into the properties.
    """
    extra: dict[str, object] = dict(source.take_own("extra") or {})
    for field, place in VISITOR.items():
        if not source.event["context"].get(place):  # an empty text is none
            continue
        payload[field] = source.take(place)
        if field in extra:  # what was no text there, while the connection told it
            del extra[field]
            source.lose(f"context.{NAME}.extra", "taken")
    page = {name: value for name in PAGE_FIELDS if (value := source.take(PAGE, name)) is not None}
    beyond = extra.pop(PAGE, None)
    if isinstance(beyond, dict):
        page |= beyond
    elif beyond is not None:
        extra[PAGE] = beyond
    if page:
        payload[PAGE] = page
    payload |= extra
