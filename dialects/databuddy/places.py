"""Where the fields of an item go in the event's context: tables, and what is done with a value on the way there.

A Vocabulary (wire.py) makes one table of them for each kind of item, so that a field costs one look-up.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from gateway.dialect import value_class

MAX_SIZE = 11  # characters of a width and a height

Put = Callable[[dict[str, Any], dict[str, object], str, Any], None]
"""Puts a value into the context, or into what is to become `context.databuddy`, under a key."""


@value_class
class Place:
    """Where a field goes if its value has one of these types. A value of another type is an unknown field.

    It is `context.<group>.<name>`, or `context.<name>` without a group; `put` does it for those that need more.
    """

    types: tuple[type, ...]
    name: str = ""
    group: str = ""
    put: Put | None = None


READ_BY_NAME = Place(())
"""Stands for a field that translation reads by its name."""
FACT = Place(())
"""Stands for a fact about the event itself. It has no place in the context, but null means that it is absent."""


def _put_size(context: dict[str, Any], own: dict[str, object], name: str, value: str) -> None:
    """Put `1920x1080` as a width and a height; keep a text that these would not give back unchanged."""
    size = _size(value) if len(value) <= MAX_SIZE else None
    if size is None:
        own[SIZE_FIELDS[name]] = value
    else:
        context[name] = {"width": size[0], "height": size[1]}


@functools.lru_cache(maxsize=1024)
def _size(text: str) -> tuple[int, int] | None:
    """Return a size in its two parts. Many visitors have the same few screens; the text is short, so few bytes stay."""
    width, _, height = text.partition("x")
    if not text.isascii() or not width.isdecimal() or not height.isdecimal() or width[0] == "0" or height[0] == "0":
        return None
    return int(width), int(height)


def _put_referrer(context: dict[str, Any], own: dict[str, object], name: str, value: str) -> None:
    if value == NO_REFERRER:
        own[name] = value
    elif value:
        context.setdefault("page", {})[name] = value


def _put_aside(_context: dict[str, Any], own: dict[str, object], name: str, value: object) -> None:
    own[name] = value


_TEXT: tuple[type, ...] = (str,)
_NUMBER: tuple[type, ...] = (int, float)
_SCALAR: tuple[type, ...] = (str, int, float, bool)

CAMPAIGN: Mapping[str, str] = {
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_campaign": "name",
    "utm_term": "term",
    "utm_content": "content",
    "gclid": "gclid",
    "fbclid": "fbclid",
    "ttclid": "ttclid",
    "twclid": "twclid",
    "li_fat_id": "li_fat_id",
    "msclkid": "msclkid",
}
"""Fields with the campaign, and their keys in `context.campaign`."""

NO_REFERRER = "direct"  # the tracker's word for a visit without a referrer
SIZE_FIELDS: Mapping[str, str] = {"screen": "screen_resolution", "viewport": "viewport_size"}

TEXTS: Mapping[str, Place] = {
    **{field: Place(_TEXT, name, "campaign") for field, name in CAMPAIGN.items()},
    "title": Place(_TEXT, "title", "page"),
    "referrer": Place(_TEXT, "referrer", put=_put_referrer),
    "connection_type": Place(_TEXT, "type", "network"),
    "language": Place(_TEXT, "locale"),
    "timezone": Place(_TEXT, "timezone"),
    "ip": Place(_TEXT, "ip"),
    "userAgent": Place(_TEXT, "user_agent"),
    **{field: Place(_TEXT, name, put=_put_size) for name, field in SIZE_FIELDS.items()},
}
"""Fields of text, which any item may have."""

SURROUNDINGS: Mapping[str, Place] = {
    **TEXTS,
    "rtt": Place(_NUMBER, "rtt", "network"),
    "downlink": Place(_NUMBER, "downlink", "network"),
    "sessionStartTime": Place(_SCALAR, "session_start", put=_put_aside),
    "anonymizeVisitorIds": Place(_SCALAR, "anonymize_visitor_ids", put=_put_aside),
}
"""All fields for the context that any item may have."""

LABELS: Mapping[str, Place] = {field: Place(_TEXT, field, put=_put_aside) for field in ("namespace", "source")}
"""The same for custom events and pixels only."""
