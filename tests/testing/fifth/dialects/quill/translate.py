"""Items to canonical events. Pure. Named after the route."""

from dialects.quill.wire import Note

from gateway.dialect import Event, Item, Received

NAME = "quill"


def notes(item: Item, message_id: str, received: Received) -> Event:
    """Return the event of a note."""
    assert isinstance(item.payload, dict), "the schema lets only objects through"
    note = Note.read(item.payload)
    return Event(
        type="track",
        name=note.what,
        timestamp=received.received_at,
        user_id=note.who,
        context={**received.context, NAME: {"extra": note.extra}} if note.extra else received.context,
    )
