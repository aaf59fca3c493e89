"""Canonical lines of events that are short to write."""

from typing import Any

from gateway.dialect import Event, from_millis
from gateway.dialect.event import encode, stamped

MINUTE = 60_000
START = 1_767_323_045_678
"""2026-01-02T03:04:05.678Z in milliseconds since the epoch."""


def line(number: int = 0, project: str = "shop", dialect: str = "toy", at: int = START, **fields: Any) -> bytes:
    """Return the canonical line of an event that was received at a time."""
    event = Event(type=fields.pop("type", "track"), timestamp="2026-01-01T00:00:00.000Z", **fields)
    return encode(stamped(event, project, dialect, f"m-{number}", str(from_millis(at))))
