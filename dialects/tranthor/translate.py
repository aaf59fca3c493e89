"""One Tranthor message to one canonical event. Pure."""

from collections.abc import Mapping
from typing import cast

from dialects.tranthor.coerce import alone
from dialects.tranthor.files import unpack
from dialects.tranthor.wire import Message, read
from gateway.dialect import (
    Event,
    EventWithFiles,
    Fault,
    Item,
    Received,
    Translated,
    from_iso,
    from_millis,
    from_rfc2822,
    from_seconds,
)

NO_ID = Fault("no_id")
NO_GROUP_ID = Fault("no_group_id", "/groupId")

_OURS = "tranthor"
_LEAST_MILLIS = 100_000_000_000  # 1973 in milliseconds, the year 5138 in seconds: smaller numbers are seconds
_UNIX_DIGITS = (9, 10, 13)  # the lengths at which upstream's date parser takes digits for Unix time (inferred)


def translate(item: Item, message_id: str, arrival: Received) -> Translated:
    """Return the event of a message that met its schema, with its files; or why it has nobody to belong to."""
    payload = item.payload
    assert isinstance(payload, dict), "the schemas let only objects through"
    message = read(item.schema, payload)
    if message.user_id is None and message.anonymous_id is None:
        return NO_ID
    if message.type == "group" and message.group_id is None:
        return NO_GROUP_ID
    of_batch = arrival.context
    ours: dict[str, object] = {"batch": of_batch["batch"]} if "batch" in of_batch else {}
    if message.assigned is not None:
        ours["assigned"] = message.assigned
    timestamp = _timestamp(message, arrival, ours)
    blobs: tuple[bytes, ...] = ()
    if message.files is not None:
        unpacked = unpack(message.files)
        if isinstance(unpacked, Fault):
            return unpacked
        ours["files"], blobs = unpacked
    if message.extra:
        ours["extra"] = message.extra
    context = message.context
    if "shared" in of_batch:
        context = {**cast(Mapping[str, object], of_batch["shared"]), **context}
    if _OURS in context:  # the client's own use of our name
        ours["context"] = {_OURS: context[_OURS]}
    event = Event(
        project=arrival.project,
        dialect=_OURS,
        type=message.type,
        name=message.name,
        message_id=message_id,
        timestamp=timestamp,
        received_at=arrival.received_at,
        anonymous_id=message.anonymous_id,
        user_id=message.user_id,
        group_id=message.group_id,
        properties=message.properties,
        traits=message.traits,
        context={**context, _OURS: ours} if ours else context,
    )
    return EventWithFiles(event, blobs) if message.files is not None else event


def _timestamp(message: Message, arrival: Received, ours: dict[str, object]) -> str:
    sent = message.timestamp
    if sent is None:
        return arrival.received_at
    timestamp = _read(alone(sent))
    is_millis = type(sent) is int and abs(sent) >= _LEAST_MILLIS
    if timestamp is None or (timestamp != sent and not is_millis):
        ours["timestamp"] = sent
    return timestamp or arrival.received_at


def _read(sent: object) -> str | None:
    """Return a time that a caller sent as ISO 8601, RFC 2822 or Unix time; upstream checks nothing and guesses."""
    if isinstance(sent, str):
        if len(sent) in _UNIX_DIGITS and sent.isascii() and sent.isdigit():
            return _unix(int(sent))
        return from_iso(sent) or from_rfc2822(sent)
    if isinstance(sent, int | float) and not isinstance(sent, bool):
        return _unix(sent)
    return None


def _unix(number: float) -> str | None:
    return from_millis(number) if abs(number) >= _LEAST_MILLIS else from_seconds(number)
