"""What clients send, as a value read from a hit or a pixel that met its schema.

GoatCounter's spellings stand here and in the schemas only. Its Go clients send each field,
and an empty one for what they do not know: "", 0, and the year 1.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from gateway.dialect import from_iso, unknown_fields, value_class

BOOLEANS = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}

HIT_FIELDS = frozenset(
    {
        "path",
        "title",
        "event",
        "ref",
        "size",
        "query",
        "bot",
        "user_agent",
        "location",
        "language",
        "ip",
        "created_at",
        "session",
    }
)
_PIXEL_FIELDS = frozenset({"p", "t", "e", "r", "s", "q", "b", "ns", "rnd"})

_NO_TIME = "0001-01-01T00:00:00.000Z"
_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,60})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_NUMBER = re.compile(r"[+-]?([0-9]{1,60}(\.[0-9]{0,60})?|\.[0-9]{1,60})([eE][+-]?[0-9]{1,3})?")

_MOST_NUMBERS = 8

Number = int | float


@value_class
class Hit:
    """A pageview or an event. What was not sent, or is empty, is None."""

    path: str
    is_event: bool
    title: str | None
    ref: str | None
    query: str | None
    size: object
    bot: int | None
    user_agent: str | None
    location: str | None
    language: str | None
    ip: str | None
    created_at: str | None
    session: str | None
    no_session: bool | None
    random: str | None
    unknown: Mapping[str, object]

    @classmethod
    def of_api(cls, sent: Mapping[str, Any]) -> "Hit":
        """Return the hit of a payload that met schemas/hit.json."""
        created_at = sent.get("created_at") or None
        return cls(
            path=sent.get("path") or "",
            is_event=_boolean(sent.get("event")),
            title=sent.get("title") or None,
            ref=sent.get("ref") or None,
            query=sent.get("query") or None,
            size=sent.get("size") or None,
            bot=sent.get("bot") or None,
            user_agent=sent.get("user_agent") or None,
            location=sent.get("location") or None,
            language=sent.get("language") or None,
            ip=sent.get("ip") or None,
            created_at=None if created_at is None or from_iso(created_at) == _NO_TIME else created_at,
            session=sent.get("session") or None,
            no_session=None,
            random=None,
            unknown=unknown_fields(sent, HIT_FIELDS),
        )

    @classmethod
    def of_pixel(cls, sent: Mapping[str, Any]) -> "Hit":
        """Return the hit of a query that met schemas/pixel.json."""
        return cls(
            path=sent["p"],
            is_event=_boolean(sent.get("e")),
            title=sent.get("t") or None,
            ref=sent.get("r") or None,
            query=sent.get("q") or None,
            size=sent.get("s") or None,
            bot=int(sent.get("b") or 0) or None,
            user_agent=None,
            location=None,
            language=None,
            ip=None,
            created_at=None,
            session=None,
            no_session=_boolean(sent.get("ns")) or None,
            random=sent.get("rnd") or None,
            unknown=unknown_fields(sent, _PIXEL_FIELDS),
        )


def is_time(text: str) -> bool:
    """Return whether a text is a time as Go reads it: RFC 3339, and nothing looser."""
    return _RFC_3339.fullmatch(text) is not None and from_iso(text) is not None


def numbers(size: object) -> tuple[Number, ...] | None:
    """Return the numbers of a size: one, an array of them, or text with commas between."""
    match size:
        case bool():
            return None
        case int() | float():
            return (size,)
        case str():
            text = size.strip(" \t\n,")
            return _all([_number(part.strip()) for part in text.split(",", _MOST_NUMBERS)]) if text else ()
        case list():
            return _all([part if type(part) in (int, float) else None for part in size])
        case _:
            return None


def _all(found: list[Number | None]) -> tuple[Number, ...] | None:
    kept = tuple(number for number in found if number is not None)
    return kept if len(kept) == len(found) else None


def _number(text: str) -> Number | None:
    if _NUMBER.fullmatch(text) is None:
        return None
    number = float(text)
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() else number


def _boolean(sent: object) -> bool:
    return BOOLEANS.get(str(sent).strip().lower(), False)
