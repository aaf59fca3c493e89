"""What one item becomes: the line of its event, or why it has none. Values only."""

import enum

from gateway.dialect import Item
from gateway.dialect.outcome import Fault
from gateway.dialect.value_class import value_class
from gateway.storage.contract import Blob

UNEXPLAINED = (Fault("invalid"),)
"""The faults of an invalid item once a request's budget of explanations (MAX_FAULTS) is spent."""


class Why(enum.Enum):
    """Why no event is stored for an item."""

    INVALID = "invalid"  # it does not meet its schema, or contains what cannot be stored
    UNTRANSLATABLE = "untranslatable"  # it is valid, but its dialect returned a fault
    FILTERED = "filtered"  # it is an event that the operator does not want
    DIALECT_BUG = "dialect_bug"  # what its dialect returned is not a canonical event


@value_class
class NotStored:
    """The answer of `event_line` for an item that does not become an event."""

    faults: tuple[Fault, ...]
    why: Why = Why.INVALID


@value_class
class LineWithFiles:
    """An event as its canonical line, with the files that came with it, and its item if text in it was mended."""

    line: bytes
    files: tuple[Blob, ...] = ()
    mended: Item | None = None


EventLine = bytes | LineWithFiles
"""Mostly the bare line: an object around it would cost a third of a microsecond for each event."""

KNOWN_BOT = NotStored((Fault("known_bot", "/context/user_agent"),), Why.FILTERED)
