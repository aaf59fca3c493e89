"""Items to canonical events. Pure. The format has no id and no time: both are the gateway's."""

from collections.abc import Mapping
from typing import Any, cast

from dialects.appizer.wire import BATCH_REST, Alias, ReplaceId, TolerantTrack, TrackEvent, UserUpsert
from gateway.dialect import Event, Fault, Item, Received, Translated

_NO_NAME = Fault("required", "/event")
_NO_USER = Fault("required", "/user_id")


def translate_event(item: Item, message_id: str, arrival: Received) -> Translated:
    """Return the event of `/events` or of one element of `/events/batch`."""
    app_id = _app_id(arrival)
    sent = TrackEvent.read(_fields(item), app_id)
    return Event(
        project=arrival.project,
        dialect="appizer",
        type="track",
        name=sent.event_name,
        message_id=message_id,
        timestamp=arrival.received_at,
        received_at=arrival.received_at,
        user_id=sent.user_id,
        properties=sent.properties or {},
        context=_context(arrival, sent.extra, {}, sent.ip, sent.ua),
    )


def translate_track(item: Item, message_id: str, arrival: Received) -> Translated:
    """Return the event of `/events/track`; its user may be known, anonymous, or not said at all."""
    sent = TolerantTrack.read(_fields(item), _app_id(arrival))
    if sent.event is None:
        return _NO_NAME
    return Event(
        project=arrival.project,
        dialect="appizer",
        type="track",
        name=sent.event,
        message_id=message_id,
        timestamp=arrival.received_at,
        received_at=arrival.received_at,
        anonymous_id=sent.anonymous_id,
        user_id=sent.user_id,
        properties=sent.properties or {},
        context=_context(arrival, sent.extra, {}, sent.ip, sent.ua),
    )


def translate_user(item: Item, message_id: str, arrival: Received) -> Translated:
    """Return an identify: `email` and `phone` beside the properties win over properties of the same name."""
    sent = UserUpsert.read(_fields(item), _app_id(arrival))
    traits, own = sent.properties or {}, {}
    top = {name: value for name, value in (("email", sent.email), ("phone", sent.phone)) if value is not None}
    if top:
        overridden = {name: traits[name] for name in top if name in traits and traits[name] != top[name]}
        traits = {**traits, **top}
        if overridden:
            own["overridden"] = overridden
    if sent.origin:
        own["origin"] = sent.origin
    return Event(
        project=arrival.project,
        dialect="appizer",
        type="identify",
        message_id=message_id,
        timestamp=arrival.received_at,
        received_at=arrival.received_at,
        user_id=sent.user_id,
        traits=traits,
        context=_context(arrival, sent.extra, own),
    )


def translate_alias(item: Item, message_id: str, arrival: Received) -> Translated:
    """Return an alias from the second id to the first; the vendor's own UUID of a user is no user_id of ours."""
    sent = Alias.read(_fields(item), _app_id(arrival))
    if sent.user_id is None and sent.primary_user_id is None:
        return _NO_USER
    own = {} if sent.primary_user_id is None else {"primary_user_id": sent.primary_user_id}
    return Event(
        project=arrival.project,
        dialect="appizer",
        type="alias",
        message_id=message_id,
        timestamp=arrival.received_at,
        received_at=arrival.received_at,
        user_id=sent.user_id,
        previous_id=sent.alias_id,
        context=_context(arrival, sent.extra, own),
    )


def translate_replace_id(item: Item, message_id: str, arrival: Received) -> Translated:
    """Return an alias from the old id to the new, marked: unlike an alias the old id ends."""
    sent = ReplaceId.read(_fields(item), _app_id(arrival))
    return Event(
        project=arrival.project,
        dialect="appizer",
        type="alias",
        message_id=message_id,
        timestamp=arrival.received_at,
        received_at=arrival.received_at,
        user_id=sent.new_user_id,
        previous_id=sent.user_id,
        context=_context(arrival, sent.extra, {"replace": True}),
    )


def _fields(item: Item) -> dict[str, Any]:
    payload = item.payload
    assert isinstance(payload, dict), "the schemas take objects only"
    return payload


def _app_id(arrival: Received) -> str | None:
    app: Any = arrival.context.get("app")
    return None if app is None else app["id"]


def _context(
    arrival: Received, extra: Mapping[str, Any], own: dict[str, Any], ip: str | None = None, ua: str | None = None
) -> dict[str, object]:
    """Return an event's surroundings; `own` is what has a name under `context.appizer`.

    The connection is the user's only where a browser made it, and what the body says of ip and user agent wins.
    """
    shared = arrival.context
    if shared:
        ip = ip or arrival.client_ip
        ua = ua or cast(str | None, shared.get("user_agent"))
    context: dict[str, object] = {}
    if ip:
        context["ip"] = ip
    if ua:
        context["user_agent"] = ua
    if "origin" in own:
        campaign = _campaign(own["origin"])
        if campaign:
            context["campaign"] = campaign
    if shared:
        context["app"] = shared["app"]
    if extra:
        own = _with_extra(own, extra)
    if own:
        context["appizer"] = own
    return context


def _campaign(origin: dict[str, Any]) -> dict[str, str]:
    named = (("name", origin.get("campaign")), ("source", origin.get("channel")))
    return {name: value for name, value in named if isinstance(value, str) and value}


def _with_extra(own: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    rest = extra.get(BATCH_REST)
    if isinstance(rest, dict):
        own = {**own, "batch": rest}
        extra = {name: value for name, value in extra.items() if name != BATCH_REST}
    return {**own, "extra": extra} if extra else own
