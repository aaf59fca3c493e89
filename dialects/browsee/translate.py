"""Items to canonical events. Pure. Each function is named after its route."""

from collections.abc import Mapping
from typing import Any

from dialects.browsee.wire import Identify, Track
from gateway.dialect import Event, Fault, Item, Received, from_iso, time_or_original

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
        type="track",
        name=call.event,
        timestamp=timestamp,
        anonymous_id=call.anonymous_id,
        user_id=call.user_id,
        properties=call.properties,
        context=_context(received, original, call),
    )


def identify(item: Item, message_id: str, received: Received, *, lenient_timestamps: bool = False) -> Event | Fault:
    """Return the event of an identify call. If it has both ids, it also links them."""
    call = Identify.read(_fields(item))
    time = _time(call.timestamp, received.received_at, lenient=lenient_timestamps)
    if time is None:
        return NOT_A_TIME
    timestamp, original = time
    return Event(
        type="identify",
        timestamp=timestamp,
        anonymous_id=call.anonymous_id,
        user_id=call.user_id,
        traits=call.traits,
        context=_context(received, original, call),
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
    timestamp, original = time_or_original(sent, _canonical)
    if timestamp is None:
        return (received_at, original) if lenient else None
    return timestamp, original


def _canonical(sent: object) -> str | None:
    return from_iso(sent) if isinstance(sent, str) else None


def _context(received: Received, original: object, call: Track | Identify) -> Mapping[str, object]:
    """Return the event's context. What the body says of the visitor goes before what the connection says."""
    if original is None and not call.surroundings and not call.extra:
        return received.context
    context = {**received.context, **call.surroundings}
    own: dict[str, object] = {}
    if original is not None:
        own["timestamp"] = original
    if call.extra:
        own["extra"] = call.extra
    if own:
        context[NAME] = own
    return context
