"""Items that are stored although half of a surrogate pair stood in their text, and those that are not for that. Pure.

Such text is mended (see gateway/dialect/mend.py), and the event's `context.<dialect>.mended` names the places. An id is
never mended: two people, or two events, could become one.
"""

from collections.abc import Callable
from typing import Any, cast

import attrs

from gateway.dialect import Event, EventWithFiles, Item, Received, Translated
from gateway.dialect.event import IDENTIFIERS
from gateway.dialect.mend import MAX_PLACES, MORE, Mended, marked, mend, place_in
from gateway.dialect.outcome import Fault
from gateway.dialect.value_class import value_class

CODE = "lone_surrogate"
REPLACEMENT = "\ufffd"
_OF_PEOPLE = tuple([field for field in IDENTIFIERS if field != "message_id"])

Translate = Callable[[Item, str, Received], Translated]


@value_class
class Shared:
    """What all items of a request share: mended, mended with marks, and the places in it (pointers into `context`)."""

    received: Received
    marked: Received
    places: tuple[str, ...]


def shared(received: Received) -> Shared:
    """Return what a request's items share, mended. Do it once: a context may be large."""
    mended = mend(received.context)
    if not mended.places:
        return Shared(received, received, ())
    context, with_marks = cast(Any, mended.value), cast(Any, marked(received.context))
    return Shared(attrs.evolve(received, context=context), attrs.evolve(received, context=with_marks), mended.places)


def message_id_fault(message_id: str, mended: Mended) -> Fault:
    """Return the fault of an item whose own id is not whole: at the place nearest to the top that has that text."""
    found = [place for place, text in zip(mended.places, mended.texts, strict=False) if text == message_id]
    return _fault("message_id", min(found, key=lambda place: place.count("/"), default=""))


def identifier_fault(
    event: Event, item: Item, mended: Mended, message_id: str, request: Shared, translate: Translate
) -> Fault | None:
    """Return the fault of an event of a mended item if one of its identifiers comes from mended text, else None.

    `item` is as it was sent. An identifier is found by translating again with other characters in the mended places:
    U+FFFD alone says nothing, since a client may have sent it.
    """
    suspects = [field for field in _OF_PEOPLE if REPLACEMENT in (getattr(event, field) or "")]
    if not suspects:
        return None
    variants = []
    if mended.places:
        variants.append((attrs.evolve(item, payload=marked(item.payload)), request.received, mended.places))
    if request.places:
        variants.append((attrs.evolve(item, payload=mended.value), request.marked, request.places))
    for variant, received, places in variants:
        other = translate(variant, message_id, received)
        other = other.event if isinstance(other, EventWithFiles) else other
        for field in suspects:
            text, with_mark = getattr(event, field), str(getattr(other, field, ""))
            if text != with_mark:
                return _fault(field, place_in(text, with_mark, places))
    return None


def with_note(event: Event, dialect: str, item: tuple[str, ...], request: tuple[str, ...]) -> Event:
    """Return an event whose `context.<dialect>.mended` names the places in its item, then those in its request."""
    named = [place for place in (*item, *request) if place != MORE]
    is_cut = len(named) > MAX_PLACES or MORE in item or MORE in request
    own = event.context.get(dialect)
    own = own if isinstance(own, dict) else {}
    note = {**own, "mended": [*named[:MAX_PLACES], *[MORE] * is_cut]}
    return attrs.evolve(event, context={**event.context, dialect: note})


def _fault(field: str, place: str) -> Fault:
    return Fault(CODE, place) if place else Fault(CODE, detail={"field": field})
