"""Positions: `XID-N`, the transaction that wrote an event and the event's number in it. Pure."""

import re

MAX_XID, MAX_NUMBER = 1 << 62, (1 << 31) - 1
"""Beyond all that a database gives."""
_POSITION = re.compile("([0-9]{1,19})-([0-9]{1,10})", re.ASCII)


def position(xid: int, number: int) -> str:
    """Return the position of an event."""
    return f"{xid}-{number}"


def parse(text: str) -> tuple[int, int]:
    """Return the transaction and the number of a position. Raises ValueError on what is none."""
    found = _POSITION.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return min(int(found[1]), MAX_XID), min(int(found[2]), MAX_NUMBER)
