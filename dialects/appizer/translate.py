"""Items to canonical events. Pure. The protocol has neither ids nor times: both are the gateway's.

Each function is named after its route; `events` also translates the elements of `/events/batch`.
"""

from collections.abc import Mapping
from typing import Any

from dialects.appizer.wire import (
    BATCH_EXTRA,
    EVENT_NAME_POINTER,
    USER_ID_POINTER,
    Fields,
    SentAlias,
    SentEvent,
    SentReplaceId,
    SentTrack,
    SentUser,
)
from gateway.dialect import Event, Fault, Item, Received, Translated

_NO_EVENT_NAME = Fault("required", EVENT_NAME_POINTER)
_NO_USER = Fault("required", USER_ID_POINTER)


def events(item: Item, message_id: str, received: Received) -> Translated:
    """Return a track event."""
    sent = SentEvent.read(_payload(item), _app_id(received))
    return Event(
        type="track",
        name=sent.event_name,
        timestamp=received.received_at,
        user_id=sent.user_id,
        properties=sent.properties or {},
        context=_context(received, extra=sent.extra, ip=sent.ip, user_agent=sent.user_agent),
    )


def track(item: Item, message_id: str, received: Received) -> Translated:
    """Return a track event, whose user may be known, anonymous or not named at all. No name is a fault."""
    sent = SentTrack.read(_payload(item), _app_id(received))
    if sent.event is None:
        return _NO_EVENT_NAME
    return Event(
        type="track",
        name=sent.event,
        timestamp=received.received_at,
        anonymous_id=sent.anonymous_id,
        user_id=sent.user_id,
        properties=sent.properties or {},
        context=_context(received, extra=sent.extra, ip=sent.ip, user_agent=sent.user_agent),
    )


def users(item: Item, message_id: str, received: Received) -> Translated:
    """Return an identify event. `email` and `phone` win over properties of the same name, which are kept apart."""
    sent = SentUser.read(_payload(item), _app_id(received))
    traits, own = sent.properties or {}, {}
    contact = {name: value for name, value in (("email", sent.email), ("phone", sent.phone)) if value is not None}
    if contact:
        overridden = {name: traits[name] for name in contact if name in traits and traits[name] != contact[name]}
        traits = {**traits, **contact}
        if overridden:
            own["overridden"] = overridden
    if sent.origin:
        own["origin"] = sent.origin
    campaign = {name: value for name, value in (("name", sent.campaign), ("source", sent.channel)) if value is not None}
    return Event(
        type="identify",
        timestamp=received.received_at,
        user_id=sent.user_id,
        traits=traits,
        context=_context(received, own=own, extra=sent.extra, campaign=campaign),
    )


def aliases(item: Item, message_id: str, received: Received) -> Translated:
    """Return an alias event from the second id to the first. A user named by neither id is a fault.

    `primary_user_id` is the vendor's own id of the user, so it is kept but is not the event's `user_id`.
    """
    sent = SentAlias.read(_payload(item), _app_id(received))
    if sent.user_id is None and sent.primary_user_id is None:
        return _NO_USER
    own = {} if sent.primary_user_id is None else {"primary_user_id": sent.primary_user_id}
    return Event(
        type="alias",
        timestamp=received.received_at,
        user_id=sent.user_id,
        previous_id=sent.alias_id,
        context=_context(received, own=own, extra=sent.extra),
    )


def replace_id(item: Item, message_id: str, received: Received) -> Translated:
    """Return an alias event from the old id to the new one, marked `replace`: the old id is no longer valid."""
    sent = SentReplaceId.read(_payload(item), _app_id(received))
    return Event(
        type="alias",
        timestamp=received.received_at,
        user_id=sent.new_user_id,
        previous_id=sent.user_id,
        context=_context(received, own={"replace": True}, extra=sent.extra),
    )


def _payload(item: Item) -> Fields:
    payload = item.payload
    assert isinstance(payload, dict), "the schemas allow objects only"
    return payload


def _app_id(received: Received) -> str | None:
    app: Any = received.context.get("app")
    return None if app is None else app["id"]


def _context(
    received: Received,
    *,
    own: Fields | None = None,
    extra: Mapping[str, Any],
    ip: str | None = None,
    user_agent: str | None = None,
    campaign: Fields | None = None,
) -> dict[str, object]:
    """Return an event's context: the request's, over which the body's `ip` and `user_agent` win.

    `own` and `extra` go under `context.appizer`.
    """
    context = dict(received.context)
    if ip:
        context["ip"] = ip
    if user_agent:
        context["user_agent"] = user_agent
    if campaign:
        context["campaign"] = campaign
    if extra:
        own = _with_extra(own or {}, extra)
    if own:
        context["appizer"] = own
    return context


def _with_extra(own: Fields, extra: Mapping[str, Any]) -> Fields:
    of_batch = extra.get(BATCH_EXTRA)
    if isinstance(of_batch, dict):
        own = {**own, "batch": of_batch}
        extra = {name: value for name, value in extra.items() if name != BATCH_EXTRA}
    return {**own, "extra": extra} if extra else own
