"""Items to canonical events. Pure. Each function is named after its route."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import attrs

from dialects.databuddy import entries, wire
from dialects.databuddy.context import add_campaign, add_fields, page
from dialects.databuddy.wire import Vocabulary
from gateway.dialect import (
    NOTHING,
    Event,
    Fault,
    Item,
    Received,
    Translated,
    from_iso,
    from_millis,
    from_rfc2822,
    time_or_original,
)

EARLIEST = "2000-01-01T00:00:00.000Z"
MAX_AHEAD = timedelta(hours=1)
_NOT_A_TIME = Fault("timestamp", "/timestamp")
_OUTSIDE_WINDOW = Fault("timestamp_window", "/timestamp")
_PIXELS: Mapping[str, Vocabulary] = {kind: vocabulary.pixel() for kind, vocabulary in entries.VOCABULARIES.items()}


def _flat(item: Item, message_id: str, received: Received, *, vocabulary: Vocabulary) -> Translated:
    """Translate an item of a route that takes one kind only."""
    return _translated(_fields(item), vocabulary, item.site, received, {})


def _flat_or_nested(
    item: Item, message_id: str, received: Received, *, vocabularies: Mapping[str, Vocabulary]
) -> Translated:
    fields, vocabulary = _fields(item), vocabularies[item.kind]
    payload = entries.nested(fields, item.kind)
    if payload is None:
        return _translated(fields, vocabulary, item.site, received, {})
    return _translated(payload, vocabulary, item.site, received, entries.leftovers(fields, payload))


track = partial(_flat, vocabulary=wire.CUSTOM)
batch = single = partial(_flat_or_nested, vocabularies=entries.VOCABULARIES)
vitals = partial(_flat, vocabulary=wire.VITAL)
errors = partial(_flat, vocabulary=wire.ERROR)
events = partial(_flat, vocabulary=wire.NAMED)
engagement = partial(_flat, vocabulary=wire.ENGAGEMENT)
llm = partial(_flat, vocabulary=wire.AI_CALL)


def outgoing(item: Item, message_id: str, received: Received) -> Translated:
    """Translate the body of `/outgoing`. Where the request's Origin has decided whose it is, nothing in it says so."""
    if received.site is not None and "app" not in received.context:
        received = attrs.evolve(received, context={**received.context, "app": {"id": received.site}})
    return _flat_or_nested(item, message_id, received, vocabularies={"outgoing_link": wire.LINK})


def track_in_window(item: Item, message_id: str, received: Received) -> Translated:
    """Translate an event of `/track`. A time before 2000 or more than an hour ahead is a fault."""
    event = track(item, message_id, received)
    if isinstance(event, Event) and event.timestamp != received.received_at:
        latest = from_iso((datetime.fromisoformat(received.received_at) + MAX_AHEAD).isoformat())
        if not EARLIEST <= event.timestamp <= str(latest):  # RFC 3339 texts in UTC sort as the times do
            return _OUTSIDE_WINDOW
    return event


def identify(item: Item, message_id: str, received: Received) -> Translated:
    """Translate the body of `/identify`. A trait of null asks for its removal, so it stays null."""
    event = _flat(item, message_id, received, vocabulary=wire.IDENTIFY)
    if isinstance(event, Event):
        return attrs.evolve(event, type="identify", traits=wire.traits(_fields(item)))
    return event


def pixel(item: Item, message_id: str, received: Received) -> Translated:
    """Translate a query. The client sees no errors, so what is not a time is kept beside the time of receipt."""
    vocabulary = _PIXELS[item.kind]
    own: dict[str, object] = {}
    fields = _fields(item)
    sent = fields.get("timestamp")
    timestamp = _time(sent, received, own)
    if timestamp is None:
        timestamp, own["timestamp"] = received.received_at, sent
    return _event(fields, timestamp, vocabulary, item.site, received, own)


def _fields(item: Item) -> dict[str, Any]:
    assert isinstance(item.payload, dict), "every schema accepts objects only"
    return item.payload


def _translated(
    fields: dict[str, Any], vocabulary: Vocabulary, site: str | None, received: Received, own: dict[str, object]
) -> Event | Fault:
    timestamp = _time(fields.get("timestamp"), received, own)
    if timestamp is None:
        return _NOT_A_TIME
    return _event(fields, timestamp, vocabulary, site, received, own)


def _event(
    fields: dict[str, Any],
    timestamp: str,
    vocabulary: Vocabulary,
    site: str | None,
    received: Received,
    own: dict[str, object],
) -> Event:
    """Return the event, `site` being the one that its item names itself.

    `own` is what `context.databuddy` has so far; the rest is added to it here.
    """
    find = fields.get
    context = dict(received.context)
    if site is not None:
        context["app"] = {"id": site}
    path = find("path")
    if path is not None:
        context["page"] = page(path, own)
    rest = add_fields(context, fields, vocabulary.places, own)
    properties = find("properties")
    if properties is not None and not isinstance(properties, dict):  # on the pixel, whose schema does not check it
        rest["properties"] = properties
        properties = None
    if properties and vocabulary.campaign_in_properties:
        add_campaign(context, properties)
    if not properties:
        properties = rest
    elif rest:
        properties = _merged(properties, rest, vocabulary.facts, own)
    if own:
        context["databuddy"] = own
    name = vocabulary.fixed_name if vocabulary.name_field is None else find(vocabulary.name_field)
    is_page = vocabulary.has_pages and name == "screen_view"
    return Event(
        type="page" if is_page else "track",
        name=(find("title") or None) if is_page else name,
        timestamp=timestamp,
        anonymous_id=find("anonymousId") or None,
        user_id=find("profileId") or None,
        session_id=find("sessionId") or None,
        properties=properties,
        traits=NOTHING,
        context=context,
    )


def _time(sent: object, received: Received, own: dict[str, object]) -> str | None:
    """Return the canonical form of a client's time, or None for what is not a time. `own` keeps another form of it."""
    if sent is None:
        return received.received_at
    if type(sent) is int:  # as nearly every SDK sends it
        timestamp = from_millis(sent)
        if timestamp is not None:
            return timestamp
    timestamp, original = time_or_original(sent, canonical_time)
    if original is not None:
        own["timestamp"] = original
    return timestamp


def canonical_time(sent: object) -> str | None:
    """Return a time in any of the vendor's forms as a canonical one; None for anything else."""
    if isinstance(sent, str):
        return from_iso(sent) or from_rfc2822(sent)
    return from_millis(sent) if isinstance(sent, int | float) and not isinstance(sent, bool) else None


def _merged(
    properties: Mapping[str, object], rest: dict[str, object], facts: frozenset[str], own: dict[str, object]
) -> dict[str, object]:
    """Return `properties` and the fields beside them as one object. Of two with one name, `own` keeps the loser.

    A fact of the event wins over a property of that name, a property wins over an unknown field.
    """
    merged = {**properties, **rest}
    if len(merged) == len(properties) + len(rest):
        return merged
    clashes = [key for key in properties if key in rest]  # in their order, which a set has not
    lost_properties = {key: properties[key] for key in clashes if key in facts}
    lost_fields = {key: rest[key] for key in clashes if key not in facts}
    if lost_properties:
        own["properties"] = lost_properties
    if lost_fields:
        own["extra"] = lost_fields
    return merged | {key: properties[key] for key in lost_fields}
