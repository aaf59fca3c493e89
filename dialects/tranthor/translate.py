"""A message to a canonical event. Pure. All routes share one function, since an item's schema says its type."""

from collections.abc import Mapping
from typing import Any, cast

from dialects.tranthor.context import add_page, canonical
from dialects.tranthor.files import unpack
from dialects.tranthor.times import read_time
from dialects.tranthor.wire import GROUP_ID, SentMessage
from gateway.dialect import Event, EventWithFiles, Fault, Item, Received, Translated

NO_ID = Fault("no_id")
NO_GROUP_ID = Fault("no_group_id", f"/{GROUP_ID}")

_DIALECT = "tranthor"
_VISITOR = ("ip", "user_agent")


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
    timestamp, original = read_time(sent.timestamp)
    own = _own(sent, received.context, original)
    contents: tuple[bytes, ...] = ()
    digests: tuple[str, ...] = ()
    if sent.files is not None:
        unpacked = unpack(sent.files)
        if isinstance(unpacked, Fault):
            return unpacked
        own["files"], contents = unpacked
        digests = tuple([str(facts["sha256"]) for facts in unpacked[0]])
    event = Event(
        type=sent.type,
        name=sent.name,
        timestamp=timestamp or received.received_at,
        sent_at=cast(str | None, received.context.get("sent_at")),
        anonymous_id=sent.anonymous_id,
        user_id=sent.user_id,
        group_id=sent.group_id,
        properties=sent.properties,
        traits=sent.traits,
        context=_context(sent, received.context, own),
    )
    return event if sent.files is None else EventWithFiles(event, contents, digests)


def _own(sent: SentMessage, request: Mapping[str, Any], timestamp: object) -> dict[str, object]:
    """Return what of a message has a key of its own in `context.tranthor`; `timestamp` is the original to keep."""
    own: dict[str, object] = {}
    if "batch" in request:
        own["batch"] = request["batch"]
    if sent.assigned is not None:
        own["assigned"] = sent.assigned
    if timestamp is not None:
        own["timestamp"] = timestamp
    if sent.extra:
        own["extra"] = sent.extra
    return own


def _context(sent: SentMessage, request: Mapping[str, Any], own: dict[str, object]) -> dict[str, object]:
    """Return an event's context: the client's in the canonical places, before what the connection says.

    What has no place is added to `own`, which is `context.tranthor`.
    """
    of_client = sent.context
    if "shared" in request:  # of a key in both, and of two spellings of one, the message's value counts
        of_client = {**of_client, **request["shared"], **of_client}
    context: dict[str, object] = {}
    if of_client:
        context, unplaced = canonical(of_client)
        if unplaced:
            own["context"] = unplaced
    if sent.type in ("page", "screen"):
        add_page(context, sent.properties)
    if request:
        for name in _VISITOR:
            if name in request:
                context.setdefault(name, request[name])
    if own:
        context[_DIALECT] = own
    return context
