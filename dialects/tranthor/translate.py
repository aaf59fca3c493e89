"""A message to a canonical event. Pure. All routes share one function, since an item's schema says its type."""

from collections.abc import Mapping
from typing import cast

from dialects.tranthor.coerce import unwrapped
from dialects.tranthor.files import unpack
from dialects.tranthor.wire import GROUP_ID, SentMessage
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
NO_GROUP_ID = Fault("no_group_id", f"/{GROUP_ID}")

_DIALECT = "tranthor"
_MIN_MILLIS = 100_000_000_000  # the year 1973 in milliseconds, 5138 in seconds: a smaller number is in seconds
_UNIX_LENGTHS = (9, 10, 13)  # of texts that upstream's date parser takes for Unix time if they are digits (inferred)


def message(item: Item, message_id: str, received: Received) -> Translated:
    """Return the event of a message, with its files if it has some.

    A message with no id of a person, or a group's with no id of the group, is a fault: upstream's schema allows `""`.
    """
    payload = item.payload
    assert isinstance(payload, dict), "the schemas allow objects only"
    sent = SentMessage.read(item.schema, payload)
    if sent.user_id is None and sent.anonymous_id is None:
        return NO_ID
    if sent.type == "group" and sent.group_id is None:
        return NO_GROUP_ID
    of_batch = received.context
    own: dict[str, object] = {"batch": of_batch["batch"]} if "batch" in of_batch else {}
    if sent.assigned is not None:
        own["assigned"] = sent.assigned
    timestamp = _timestamp(sent.timestamp, received, own)
    contents: tuple[bytes, ...] = ()
    digests: tuple[str, ...] = ()
    if sent.files is not None:
        unpacked = unpack(sent.files)
        if isinstance(unpacked, Fault):
            return unpacked
        own["files"], contents = unpacked
        digests = tuple([str(facts["sha256"]) for facts in unpacked[0]])
    if sent.extra:
        own["extra"] = sent.extra
    context = sent.context
    if "shared" in of_batch:
        context = {**cast(Mapping[str, object], of_batch["shared"]), **context}
    if _DIALECT in context:  # the client uses this key too
        own["context"] = {_DIALECT: context[_DIALECT]}
    event = Event(
        project=received.project,
        dialect=_DIALECT,
        type=sent.type,
        name=sent.name,
        message_id=message_id,
        timestamp=timestamp,
        received_at=received.received_at,
        anonymous_id=sent.anonymous_id,
        user_id=sent.user_id,
        group_id=sent.group_id,
        properties=sent.properties,
        traits=sent.traits,
        context={**context, _DIALECT: own} if own else context,
    )
    return event if sent.files is None else EventWithFiles(event, contents, digests)


def _timestamp(sent: object, received: Received, own: dict[str, object]) -> str:
    """Return the event's time: the receive time if none was sent, or none that can be read.

    The original goes into `own` unless it is a canonical time or milliseconds in an integer: those lose nothing.
    """
    if sent is None:
        return received.received_at
    timestamp = _read_time(unwrapped(sent))
    is_millis = type(sent) is int and abs(sent) >= _MIN_MILLIS
    if timestamp is None or (timestamp != sent and not is_millis):
        own["timestamp"] = sent
    return timestamp or received.received_at


def _read_time(sent: object) -> str | None:
    """Return a time in ISO 8601, RFC 2822 or Unix time as a canonical one; None for anything else."""
    if isinstance(sent, str):
        if len(sent) in _UNIX_LENGTHS and sent.isascii() and sent.isdigit():
            return _from_unix(int(sent))
        return from_iso(sent) or from_rfc2822(sent)
    if isinstance(sent, int | float) and not isinstance(sent, bool):
        return _from_unix(sent)
    return None


def _from_unix(number: float) -> str | None:
    return from_millis(number) if abs(number) >= _MIN_MILLIS else from_seconds(number)
