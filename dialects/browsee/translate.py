"""Items to canonical events. Pure. Each function is named after its route."""

from collections.abc import Mapping
from typing import Any

from dialects.browsee.wire import Identify, Track
from gateway.dialect import Event, Fault, Item, Received, from_iso

NAME = "browsee"
NOT_A_TIME = Fault("not_a_time", "/timestamp")


def track(item: Item, message_id: str, received: Received, *, lenient_timestamps: bool = False) -> Event | Fault:
    """Return the event of a track call."""
    call = Track.read(_fields(item))
    time = _time(call.timestamp, received.received_at, lenient=lenient_timestamps)
    if time is None:
        return NOT_A_TIME
    timestamp, original = time
    return Event(
        project=received.project,
        dialect=NAME,
        type="track",
        name=call.event,
        message_id=message_id,
        timestamp=timestamp,
        received_at=received.received_at,
        anonymous_id=call.anonymous_id,
        user_id=call.user_id,
        properties=call.properties,
        context=_context(received, original, call.extra),
    )


def identify(item: Item, message_id: str, received: Received, *, lenient_timestamps: bool = False) -> Event | Fault:
    """Return the event of an identify call. If it has both ids, it also links them."""
    call = Identify.read(_fields(item))
    time = _time(call.timestamp, received.received_at, lenient=lenient_timestamps)
    if time is None:
        return NOT_A_TIME
    timestamp, original = time
    return Event(
        project=received.project,
        dialect=NAME,
        type="identify",
        message_id=message_id,
        timestamp=timestamp,
        received_at=received.received_at,
        anonymous_id=call.anonymous_id,
        user_id=call.user_id,
        traits=call.traits,
        context=_context(received, original, call.extra),
    )


def _fields(item: Item) -> Mapping[str, Any]:
    assert isinstance(item.payload, dict), "both schemas accept objects only"
    return item.payload


def _time(sent: object, received_at: str, *, lenient: bool) -> tuple[str, object] | None:
    """Return the canonical time, and the original if it had another form, else None.

    `"2021-12-02"` gives `("2021-12-02T00:00:00.000Z", "2021-12-02")`. What is not a time gives None or, if `lenient`,
    the time of receipt and the original.
    """
    if sent is None:
        return received_at, None
    time = from_iso(sent) if isinstance(sent, str) else None
    if time is None:
        return (received_at, sent) if lenient else None
    return time, None if time == sent else sent


def _context(received: Received, original: object, extra: Mapping[str, object]) -> Mapping[str, object]:
    shared = received.context
    if not shared and original is None and not extra:
        return shared
    context = dict(shared)
    if "ip" in context:
        if received.client_ip is None:
            del context["ip"]
        else:
            context["ip"] = received.client_ip
    own: dict[str, object] = {}
    if original is not None:
        own["timestamp"] = original
    if extra:
        own["extra"] = extra
    if own:
        context[NAME] = own
    return context
