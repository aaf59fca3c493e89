"""Canonical events to items: the inverse of translate.py for events of this dialect. Pure.

An event does not say at which endpoint its item came. It goes where the newest SDKs send such an item: custom events to
`/track`, page views and what else the tracker measures to `/batch`, vitals, errors and engagement to their own.
"""

from collections.abc import Mapping
from typing import Any

from dialects.databuddy.emitted_kinds import Kind, kind_of
from dialects.databuddy.emitted_surroundings import add_surroundings, beside
from dialects.databuddy.places import CAMPAIGN
from dialects.databuddy.translate import canonical_time
from gateway.dialect import (
    CredentialPlace,
    Emitted,
    Files,
    OutboundItem,
    OutboundRoute,
    Source,
    as_track,
    spread,
    to_millis,
)

NAME = "databuddy"
MAX_NAME = 256
MAX_TRAITS, MAX_TRAIT, MAX_PERSON = 50, 255, 128
_IDS = {"anonymous_id": "anonymousId", "session_id": "sessionId", "user_id": "profileId"}
_KEY = {"api_key": CredentialPlace("header", "Authorization", "Bearer")}  # the one that the vendor's page names
_SITE = {**_KEY, "website": CredentialPlace("query", "client_id")}
_TRACK_SITE = {**_KEY, "website": CredentialPlace("query", "website_id")}  # it reads no other parameter
_IN_BODY = {**_KEY, "website": CredentialPlace("body", "websiteId")}  # beside a key it counts nowhere else

OUTBOUND = (
    OutboundRoute("track", "/track", most_items=100, credentials=_TRACK_SITE),
    OutboundRoute("batch", "/batch", most_items=100, credentials=_SITE),
    OutboundRoute("vitals", "/vitals", most_items=20, credentials=_SITE),
    OutboundRoute("errors", "/errors", most_items=50, most_bytes=128 * 1024, credentials=_SITE),
    OutboundRoute("engagement", "/engagement", most_items=20, credentials=_SITE),
    OutboundRoute("identify", "/identify", is_one=True, credentials=_IN_BODY),
    OutboundRoute("llm", "/llm", most_items=100, credentials=_KEY),
)


def emit(event: Mapping[str, object], _files: Files) -> Emitted:
    """Return the item of an event. One without a name, or an identify without an id, is not sent.

    A screen and a group become custom events. An alias becomes an identify with both ids.
    """
    source = Source(event, NAME)
    if source.type in ("identify", "alias"):
        return _person(source)
    is_page = source.type == "page"
    name = "screen_view" if is_page else as_track(source)
    if source.traits and source.type != "group":
        source.lose("traits.*")
    if not name or len(name) > MAX_NAME:
        return source.not_sent("limit" if name else "no_name")
    kind = kind_of(source, name)
    item: dict[str, object] = {} if kind.name_field is None else {kind.name_field: name}
    if is_page:
        _add_title(item, source)
    return _emitted(source, kind, item)


def _add_title(item: dict[str, object], source: Source) -> None:
    """Add the name of a page as its title, which it is in this protocol. Of two that differ the name counts."""
    name, title = source.field("name"), source.take("page", "title")
    if name is not None and title is not None and name != title:
        source.lose("context.page.title", "taken")
    sent = title if name is None else name
    if sent is not None:
        item["title"] = sent


def _person(source: Source) -> Emitted:
    user_id = source.field("user_id")
    anonymous_id = source.field("anonymous_id")
    if source.type == "alias" and anonymous_id is None:
        anonymous_id = source.field("previous_id")
    if user_id is None:
        return source.not_sent("no_person")
    if len(user_id) > MAX_PERSON:
        return source.not_sent("limit")
    name = source.field("name")
    if name is not None:
        source.lose("name")
    item: dict[str, object] = {"profileId": user_id}
    if anonymous_id is not None and len(anonymous_id) > MAX_PERSON:
        source.lose("anonymous_id", "limit")
    elif anonymous_id is not None:
        item["anonymousId"] = anonymous_id
    traits = _traits(source)
    if traits:
        item["traits"] = traits
    return _emitted(source, Kind("identify"), item)


def _traits(source: Source) -> dict[str, Any]:
    """Return the traits that the vendor takes: flat, short and few."""
    kept = [(key, value) for key, value in source.traits.items() if _is_trait(value)]
    first = dict(kept[:MAX_TRAITS])
    if len(first) < len(source.traits):
        source.lose("traits.*", "limit")
    return first


def _is_trait(value: object) -> bool:
    return len(value) <= MAX_TRAIT if isinstance(value, str) else value is None or isinstance(value, bool | int | float)


def _emitted(source: Source, kind: Kind, item: dict[str, object]) -> Emitted:
    item["eventId"] = source.field("message_id")
    for place, field in _IDS.items():
        value = source.field(place)
        if value is None:
            continue
        if kind.most_id is not None and field != "profileId" and len(value) > kind.most_id:
            source.lose(place, "limit")
        else:
            item[field] = value
    item["timestamp"] = _time(source)
    around, inner_type = source.take_own("envelope"), source.take_own("type")
    add_surroundings(item, source, kind)
    stands_beside = beside(source, item, kind)
    if not source.own:
        spread(source)
    _add_properties(item, source, kind)
    if kind.entry is not None and (around is not None or inner_type is not None):
        if inner_type is not None:
            item["type"] = inner_type
        entry = {"type": kind.entry, **(around or {}), "payload": item}
        return Emitted((OutboundItem("batch", entry, stands_beside),), source.lost())
    if kind.entry not in (None, "track") and kind.route == "batch":
        item["type"] = kind.entry
    return Emitted((OutboundItem(kind.route, item, stands_beside),), source.lost())


def _time(source: Source) -> object:
    """Return the time as it was sent, else in milliseconds, as nearly every SDK sends it.

    What a pixel has said of its time may be none: no other endpoint takes that.
    """
    timestamp, original = source.field("timestamp"), source.take_own("timestamp")
    if original is not None and canonical_time(original) == timestamp:
        return original
    if original is not None:
        source.lose(f"context.{NAME}.timestamp", "limit")
    millis = to_millis(timestamp)
    return timestamp if millis is None else millis


def _add_properties(item: dict[str, object], source: Source, kind: Kind) -> None:
    """Add the facts of an event beside its properties, and what lost against one of the same name to where it was."""
    properties = source.properties
    for name in [name for name in properties if name in kind.facts]:  # in their order, which a set has not
        if properties[name] is not None and kind.takes(name, properties[name]):
            item[name] = properties.pop(name)
    if source.own and kind.campaign_in_properties:
        for field in CAMPAIGN:  # what the properties tell of the campaign needs no second place
            if field in item and properties.get(field) == item[field]:
                del item[field]
    properties |= source.take_own("properties") or {}
    if properties:
        item["properties"] = properties
    for name, value in (source.take_own("extra") or {}).items():
        item.setdefault(name, value)
