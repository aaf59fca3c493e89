"""Canonical events to bodies: the inverse of translate.py for events of this dialect. Pure.

The protocol has neither ids nor times of events, so that both are lost.
"""

from collections.abc import Mapping
from typing import Any

from dialects.appizer.credentials import APP_ID_HEADER
from dialects.appizer.limits import MAX_BATCH
from dialects.appizer.wire import APP_ID_FIELDS, EVENTS
from gateway.dialect import (
    Beside,
    Emitted,
    Files,
    OutboundItem,
    OutboundRoute,
    Source,
    as_track,
    beside_connection,
    is_header,
    spread,
)

NAME = "appizer"
_BLANK = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What the pattern of the schemas takes for blank."""
IN_TRACK = frozenset({"event_name", "user_id"})
"""Second spellings: unknown fields of `/events/track` that would be known ones of `/events`."""

OUTBOUND = (
    OutboundRoute("events/batch", "/v1/events/batch", field=EVENTS, most_items=MAX_BATCH),
    OutboundRoute("events/track", "/v1/events/track", is_one=True),
    OutboundRoute("users", "/v1/users", is_one=True),
    OutboundRoute("users/aliases", "/v1/users/aliases", is_one=True),
    OutboundRoute("users/replace-id", "/v1/users/replace-id", is_one=True),
)


def emit(event: Mapping[str, object], _files: Files) -> Emitted:
    """Return the body of an event, for the endpoint of its type. A page, a screen and a group become events."""
    source = Source(event, NAME)
    extra = _without_app(source, "extra")
    if source.type == "identify":
        return _user(source, extra)
    if source.type == "alias":
        return _alias(source, extra)
    return _event(source, extra)


def _event(source: Source, extra: dict[str, Any]) -> Emitted:
    name = as_track(source)
    if not _is_present(name):
        return source.not_sent("no_name")
    user_id, anonymous_id = source.field("user_id"), source.field("anonymous_id")
    has_user = _is_present(user_id) and anonymous_id is None and IN_TRACK.isdisjoint(extra)
    payload: dict[str, object] = {"event_name": name, "user_id": user_id}
    if not has_user:
        payload = {"event": name, **_ids(source, userId=user_id, anonymousId=anonymous_id)}
    for field, place in (("ip", "ip"), ("ua", "user_agent")):
        if source.event["context"].get(place):  # an empty text is none
            payload[field] = source.take(place)
    beside = _beside(source, _without_app(source, "batch"))
    if not source.own:
        spread(source)
    if source.properties:
        payload["properties"] = source.properties
    if source.traits and source.type != "group":
        source.lose("traits.*")
    route = "events/batch" if has_user else "events/track"
    return Emitted((OutboundItem(route, payload | extra, beside),), source.lost())


def _without_app(source: Source, key: str) -> dict[str, Any]:
    """Take unknown fields of this dialect's; an app id among them did not open the request, and would do so now."""
    fields: dict[str, Any] = source.take_own(key) or {}
    kept = {name: value for name, value in fields.items() if name not in APP_ID_FIELDS}
    if len(kept) < len(fields):
        source.lose(f"context.{NAME}.{key}", "taken")
    return kept


def _ids(source: Source, **ids: str | None) -> dict[str, object]:
    """Return the ids that `/events/track` takes for some: a blank one is none."""
    for field, place in (("userId", "user_id"), ("anonymousId", "anonymous_id")):
        if ids[field] is not None and not _is_present(ids[field]):
            source.lose(place, "limit")
    return {field: value for field, value in ids.items() if _is_present(value)}


def _user(source: Source, extra: dict[str, Any]) -> Emitted:
    """Return the body of a user, and of an alias if another dialect knows the user by a second id, which links them."""
    user_id = source.field("user_id")
    if not _is_present(user_id):
        return source.not_sent("no_person")
    payload: dict[str, object] = {"user_id": user_id}
    traits = source.traits
    for name in ("email", "phone"):
        if isinstance(traits.get(name), str):
            payload[name] = traits.pop(name)
    traits |= source.take_own("overridden") or {}
    if traits:
        payload["properties"] = traits
    if source.properties:
        source.lose("properties.*")
    origin = source.take_own("origin")
    if origin is not None:
        payload["origin"] = origin
    said = {"campaign": source.take("campaign", "name"), "channel": source.take("campaign", "source")}
    if origin is None and any(said.values()):
        payload["origin"] = {key: value for key, value in said.items() if value}
    anonymous_id = source.field("anonymous_id")
    beside = _connected(source)
    items = [OutboundItem("users", payload | extra, beside)]
    if _is_present(anonymous_id):
        items.append(OutboundItem("users/aliases", {"user_id": user_id, "alias_id": anonymous_id}, beside))
    return Emitted(tuple(items), source.lost())


def _alias(source: Source, extra: dict[str, Any]) -> Emitted:
    user_id, previous_id = source.field("user_id"), source.field("previous_id")
    primary = source.take_own("primary_user_id")
    if not _is_present(previous_id) or not (_is_present(user_id) or primary):
        return source.not_sent("no_person")
    payload: dict[str, object]
    if source.take_own("replace"):
        payload = {"user_id": previous_id, "new_user_id": user_id}
        return Emitted((OutboundItem("users/replace-id", payload | extra, _connected(source)),), source.lost())
    payload = {"user_id": user_id, "primary_user_id": primary, "alias_id": previous_id}
    payload = {field: value for field, value in payload.items() if value is not None}
    return Emitted((OutboundItem("users/aliases", payload | extra, _connected(source)),), source.lost())


def _connected(source: Source) -> Beside:
    """Return what stands beside a body that has no fields for the visitor: a browser's connection shows them."""
    headers, address = beside_connection(source)
    beside = _beside(source, {})
    return Beside(headers={**beside.headers, **headers}, client_ip=address, fields=beside.fields)


def _beside(source: Source, batch: Mapping[str, object]) -> Beside:
    """Return the app that an event of this dialect came from, and the unknown fields of its batch."""
    app_id = source.take("app", "id") if source.own else None
    if app_id is None:
        return Beside(fields=batch)
    if is_header(app_id):
        return Beside(headers={APP_ID_HEADER: app_id}, fields=batch)
    return Beside(fields={**batch, APP_ID_FIELDS[0]: app_id})


def _is_present(text: str | None) -> bool:
    """Return whether there is a text that is not blank, for the schemas and for translate.py."""
    return text is not None and bool(text.strip()) and bool(text.strip(_BLANK))
