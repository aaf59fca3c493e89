"""A wire item to the canonical event. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from dialects.browsee.wire import Identify, Track
from gateway.dialect import Event, Fault, Item, Received, from_iso

NAME = "browsee"
NOT_A_TIME = Fault("not_a_time", "/timestamp")

Told = tuple[str, object]
"""A canonical time, and what was sent instead of it where that differs, else None."""
ReadTime = Callable[[object, str], Told | None]


def strict_time(sent: object, received_at: str) -> Told | None:
    """Return when something happened: now where nothing was sent, None where what was sent is not a time."""
    if sent is None:
        return received_at, None
    if not isinstance(sent, str):
        return None
    text = from_iso(sent)
    return None if text is None else (text, None if text == sent else sent)


def lenient_time(sent: object, received_at: str) -> Told:
    """Return when something happened, as near as one can tell: what is not a time counts as now."""
    return strict_time(sent, received_at) or (received_at, sent)


def track(read_time: ReadTime, item: Item, message_id: str, arrival: Received) -> Event | Fault:
    """Return the event of a track call."""
    call = Track.read(cast(Mapping[str, Any], item.payload))
    told = read_time(call.timestamp, arrival.received_at)
    if told is None:
        return NOT_A_TIME
    return Event(
        project=arrival.project,
        dialect=NAME,
        type="track",
        name=call.event,
        message_id=message_id,
        timestamp=told[0],
        received_at=arrival.received_at,
        anonymous_id=call.anonymous_id,
        user_id=call.user_id,
        properties=call.properties,
        context=_context(arrival, told[1], call.extra),
    )


def identify(read_time: ReadTime, item: Item, message_id: str, arrival: Received) -> Event | Fault:
    """Return the event of an identify call; with both ids it is also what links them."""
    call = Identify.read(cast(Mapping[str, Any], item.payload))
    told = read_time(call.timestamp, arrival.received_at)
    if told is None:
        return NOT_A_TIME
    return Event(
        project=arrival.project,
        dialect=NAME,
        type="identify",
        message_id=message_id,
        timestamp=told[0],
        received_at=arrival.received_at,
        anonymous_id=call.anonymous_id,
        user_id=call.user_id,
        traits=call.traits,
        context=_context(arrival, told[1], call.extra),
    )


def _context(arrival: Received, original: object, extra: Mapping[str, object]) -> Mapping[str, object]:
    shared = arrival.context
    if not shared and original is None and not extra:
        return shared
    context = dict(shared)
    if "ip" in context:
        if arrival.client_ip is None:
            del context["ip"]
        else:
            context["ip"] = arrival.client_ip
    own: dict[str, object] = {}
    if original is not None:
        own["timestamp"] = original
    if extra:
        own["extra"] = extra
    if own:
        context[NAME] = own
    return context
