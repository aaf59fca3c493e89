"""The format of `GET /px.jpg`: one event flattened into a query, and the image that answers it."""

import base64
import re
from collections.abc import Mapping

from dialects.databuddy import places, wire
from gateway.dialect import Response, Undecodable, decode

IMAGE = Response(
    200,
    base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"),
    "image/gif",
    {
        "Cache-Control": "no-cache, no-store, must-revalidate",
        "Pragma": "no-cache",
        "Expires": "0",
        "Cross-Origin-Resource-Policy": "cross-origin",  # or a page with Cross-Origin-Embedder-Policy refuses it
    },
)

_ABOUT_REQUEST = frozenset({"type", "client_id", "website_id", "sdk_name", "sdk_version"})
_TYPED = frozenset({"properties", "timestamp", "anonymizeVisitorIds", "lineno", "colno"})
_TEXTS = (
    wire.CORE | places.TEXTS.keys() | places.LABELS.keys() | wire.ERROR.facts | wire.LINK.facts | {"name", "websiteId"}
) - _TYPED
_INTEGER = re.compile(r"-?[0-9]{1,15}")
_FRACTION = re.compile(r"-?[0-9]{0,15}\.[0-9]{1,20}")
_BOOLEANS = {"true": True, "false": False}


def unflatten(query: Mapping[str, str]) -> dict[str, object]:
    """Return the event in a query, without the parameters that are about the request.

    `name=a&n=1&on=true&o={"b":1}&p[q]=2` gives `{"name": "a", "n": 1, "on": True, "o": {"b": 1}, "p": {"q": 2}}`.
    Fields that are known to be text stay text, and so do numbers that would not read back as they were sent: too long
    ones. A parameter keeps its whole name, such as `p[q]`, if another one already has its place.
    """
    fields = {key: text for key, text in query.items() if key not in _ABOUT_REQUEST}
    paths = {key: _path(key) for key in fields}
    event = {key: text if key in _TEXTS else _value(text) for key, text in fields.items() if not paths[key]}
    for key, text in fields.items():
        if paths[key] and not _put(event, paths[key], _value(text)):
            event[key] = text
    return event


def _path(key: str) -> list[str]:
    """Return `["a", "b", "c"]` for `a[b][c]`, and an empty list for a plain name."""
    top, _, inner = key.partition("[")
    return [top, *inner[:-1].split("][")] if top and top not in _TEXTS and inner.endswith("]") else []


def _put(event: dict[str, object], path: list[str], value: object) -> bool:
    """Put a value at a path. Return False if another value is already there or on the way."""
    node = event
    for step in path[:-1]:
        child = node.setdefault(step, {})
        if not isinstance(child, dict):
            return False
        node = child
    return node.setdefault(path[-1], value) is value


def _value(text: str) -> object:
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text[:1] in ("{", "["):
        try:
            return decode(text.encode("utf-8", "backslashreplace"))  # half a pair as JSON spells it
        except Undecodable:
            return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FRACTION.fullmatch(text):
        return float(text)
    return text
