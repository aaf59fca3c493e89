"""Databuddy's items to canonical events. Pure; one small function an endpoint, one composer for all."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import cast

import attrs

from dialects.databuddy import wire
from dialects.databuddy.place import page, place, tag
from dialects.databuddy.wire import Sent, Vocabulary
from gateway.dialect import Event, EventType, Fault, Item, Received, Translated, from_iso, from_millis, from_rfc2822

UNREADABLE_TIME = Fault("timestamp", "/timestamp")
OUTSIDE_WINDOW = Fault("timestamp_window", "/timestamp")
EARLIEST = "2000-01-01T00:00:00.000Z"
AHEAD = timedelta(hours=1)
CAMPAIGN_KEYS = frozenset(wire.CAMPAIGN)

_ENTRIES: Mapping[str, Vocabulary] = {
    "track": wire.PAGE.entry(),
    "outgoing_link": wire.LINK.entry(),
    "custom": wire.LEGACY.entry(),
    "web_vital": wire.VITAL.entry(),
    "error": wire.ERROR.entry(),
}
_PIXELS: Mapping[str, Vocabulary] = {kind: vocabulary.pixel() for kind, vocabulary in _ENTRIES.items()}


def flat(vocabulary: Vocabulary, item: Item, message_id: str, arrival: Received) -> Translated:
    """Translate an object of an endpoint that takes one kind only."""
    return _compose(_fields(item), vocabulary, item, message_id, arrival, {})


custom = partial(flat, wire.CUSTOM)  # of `/track`


def custom_in_window(item: Item, message_id: str, arrival: Received) -> Translated:
    """Translate an element of `/track`, and refuse one from before 2000 or more than an hour ahead."""
    event = custom(item, message_id, arrival)
    if isinstance(event, Event) and event.timestamp != arrival.received_at:
        latest = from_iso((datetime.fromisoformat(arrival.received_at) + AHEAD).isoformat())
        if not EARLIEST <= event.timestamp <= str(latest):  # RFC 3339 texts in UTC sort as the times do
            return OUTSIDE_WINDOW
    return event


def wrapped(vocabularies: Mapping[str, Vocabulary], item: Item, message_id: str, arrival: Received) -> Translated:
    """Translate an object that may be flat or wrapped in `payload`."""
    fields = _fields(item)
    inner = wire.nested(fields, item.kind)
    if inner is None:
        return _compose(fields, vocabularies[item.kind], item, message_id, arrival, {})
    vendor: dict[str, object] = {}
    outer = wire.envelope(fields, inner)
    if outer:
        vendor["envelope"] = outer
    if "type" in inner:
        vendor["type"] = inner["type"]
    return _compose(inner, vocabularies[item.kind], item, message_id, arrival, vendor)


entry = partial(wrapped, _ENTRIES)  # of `/` and `/batch`
outgoing = partial(wrapped, {"outgoing_link": wire.LINK})


def pixel(item: Item, message_id: str, arrival: Received) -> Translated:
    """Translate a query; a time that is none is kept beside the receive time, since a pixel gets no errors."""
    fields = _fields(item)
    translated = _compose(fields, _PIXELS[item.kind], item, message_id, arrival, {})
    if isinstance(translated, Fault):
        timeless = {**fields, "timestamp": None}
        vendor = {"timestamp": fields["timestamp"]}
        return _compose(timeless, _PIXELS[item.kind], item, message_id, arrival, vendor)
    return translated


def identify(item: Item, message_id: str, arrival: Received) -> Translated:
    """Translate the body of `/identify`; a trait of null, which removes it, stays null."""
    event = flat(wire.IDENTIFY, item, message_id, arrival)
    if isinstance(event, Event):
        traits = cast(dict[str, object] | None, _fields(item).get("traits"))
        return attrs.evolve(event, type="identify", traits=traits or {})
    return event


def _fields(item: Item) -> dict[str, object]:
    assert isinstance(item.payload, dict), "every schema lets only objects through"
    return item.payload


def _compose(
    fields: dict[str, object],
    vocabulary: Vocabulary,
    item: Item,
    message_id: str,
    arrival: Received,
    vendor: dict[str, object],
) -> Event | Fault:
    sent = Sent.read(fields, vocabulary)
    timestamp = _time(sent.timestamp, arrival, vendor)
    if timestamp is None:
        return UNREADABLE_TIME
    context = _context(sent, vocabulary.tagged, item.site, arrival, vendor)
    properties = sent.properties
    if not properties:
        properties = sent.rest
    elif sent.rest:
        properties = _merged(properties, sent.rest, vocabulary.own, vendor)
    if vendor:  # filled by all of the above
        context["databuddy"] = vendor
    type_: EventType = "track"
    name = sent.name
    if name == "screen_view" and vocabulary.paged:
        type_, name = "page", cast(str | None, sent.around.get("title") or None)
    return Event(
        project=arrival.project,
        dialect="databuddy",
        type=type_,
        name=name,
        message_id=message_id,
        timestamp=timestamp,
        received_at=arrival.received_at,
        anonymous_id=sent.anonymous_id,
        user_id=sent.profile_id,
        session_id=sent.session_id,
        properties=properties,
        context=context,
    )


def _context(
    sent: Sent, tagged: bool, site: str | None, arrival: Received, vendor: dict[str, object]
) -> dict[str, object]:
    context = dict(arrival.context)
    if arrival.client_ip is not None:
        context["ip"] = arrival.client_ip
    if site is not None:
        context["app"] = {"id": site}
    if sent.path is not None:
        context["page"] = page(sent.path)
    if sent.around:
        place(sent.around, context, vendor)
    if tagged and sent.properties and not CAMPAIGN_KEYS.isdisjoint(sent.properties):
        tag(sent.properties, context)
    return context


def _time(sent: object, arrival: Received, vendor: dict[str, object]) -> str | None:
    """Return a client time, or None where it is none; any form but whole milliseconds keeps its original."""
    if sent is None:
        return arrival.received_at
    if isinstance(sent, str):
        time = from_iso(sent) or from_rfc2822(sent)
        if time != sent:
            vendor["timestamp"] = sent
        return time
    if isinstance(sent, float) and not sent.is_integer():
        vendor["timestamp"] = sent
    return from_millis(sent) if isinstance(sent, int | float) and not isinstance(sent, bool) else None


def _merged(
    inner: Mapping[str, object], rest: dict[str, object], own: frozenset[str], vendor: dict[str, object]
) -> dict[str, object]:
    """Return `properties` and the fields beside them as one; of two with one name, the other is kept aside.

    A fact of the item itself goes before a property of that name, a property before a field of the site's own.
    """
    merged = {**inner, **rest}
    if len(merged) == len(inner) + len(rest):
        return merged
    clashes = inner.keys() & rest.keys()
    vendor["properties"] = {key: inner[key] for key in clashes & own}
    vendor["extra"] = {key: rest[key] for key in clashes - own}
    for name in ("properties", "extra"):
        if not vendor[name]:
            del vendor[name]
    return merged | {key: inner[key] for key in clashes - own}
