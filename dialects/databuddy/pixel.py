"""`GET /px.jpg`: one event flattened into a query, answered with an image. Pure."""

import base64
import re
from collections.abc import Mapping

from dialects.databuddy import wire
from dialects.databuddy.parse import ENTRIES, UNKNOWN_TYPE
from dialects.databuddy.sender import credentials, event_id, surroundings, website
from gateway.dialect import Accepted, Item, Reason, Refusal, Request, Response, Submission, Undecodable, decode

IMAGE = Response(
    200,
    base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"),
    "image/gif",
    {"Cache-Control": "no-cache, no-store, must-revalidate", "Pragma": "no-cache", "Expires": "0"},
)
RETRYABLE = {Reason.UNAVAILABLE: 503, Reason.LIMITED: 429, Reason.INTERNAL: 500}
LOOK_AGAIN = 5  # seconds; the tracker's pixel tries again three times when the image fails

_ABOUT_REQUEST = frozenset({"type", "client_id", "website_id", "sdk_name", "sdk_version"})
_TYPED = frozenset({"properties", "timestamp", "anonymizeVisitorIds", "lineno", "colno"})
_TEXTS = (
    wire.HEAD
    | wire.PAGE_KEYS
    | wire.CAMPAIGN.keys()
    | wire.LABELS
    | wire.ERROR.own
    | wire.LINK.own
    | {"name", "websiteId", "connection_type"}
) - _TYPED
_WHOLE = re.compile(r"-?[0-9]{1,15}")
_FRACTION = re.compile(r"-?[0-9]{0,15}\.[0-9]{1,20}")
_WORDS = {"true": True, "false": False}


def parse(request: Request) -> Submission:
    """Return the query as one item; vitals and errors have a schema to meet, the vendor checks nothing else."""
    payload = unflatten(request.query)
    type_ = request.query.get("type") or "track"
    kind, _ = ENTRIES.get(type_, ("track", ""))
    schema = kind if kind in ("web_vital", "error") else "pixel"
    site = website(payload)
    fault = None if type_ in ENTRIES else UNKNOWN_TYPE
    item = Item(kind, schema, payload, event_id(payload), site, fault)
    return Submission(credentials(request, site), (item,), context=surroundings(request, site))


def render(_handled: Accepted) -> Response:
    """Return the image."""
    return IMAGE


def refuse(_request: Request, refusal: Refusal) -> Response:
    """Return the image all the same, but for what a second try may heal: then none, so that the tracker tries again."""
    status = RETRYABLE.get(refusal.reason)
    return IMAGE if status is None else Response(status, headers={"Retry-After": str(LOOK_AGAIN)})


def unflatten(query: Mapping[str, str]) -> dict[str, object]:
    """Return the event in a query: `a=1`, `a={"b":1}` and `a[b]=1`, with numbers and booleans read as such.

    Known texts stay text, and so does what would not read back as it was (a number too long).
    """
    fields = {key: text for key, text in query.items() if key not in _ABOUT_REQUEST}
    steps = {key: _steps(key) for key in fields}
    payload = {key: text if key in _TEXTS else _value(text) for key, text in fields.items() if not steps[key]}
    for key, text in fields.items():
        if steps[key] and not _nest(payload, steps[key], _value(text)):
            payload[key] = text  # what its name says is taken
    return payload


def _steps(key: str) -> list[str]:
    """Return the way that `a[b][c]` names, or nothing for a plain name."""
    top, _, inner = key.partition("[")
    return [top, *inner[:-1].split("][")] if top and top not in _TEXTS and inner.endswith("]") else []


def _nest(payload: dict[str, object], steps: list[str], value: object) -> bool:
    """Put a value at its place, unless something else already is there or on the way."""
    node = payload
    for step in steps[:-1]:
        found = node.setdefault(step, {})
        if not isinstance(found, dict):
            return False
        node = found
    return node.setdefault(steps[-1], value) is value


def _value(text: str) -> object:
    if text in _WORDS:
        return _WORDS[text]
    if text[:1] in ("{", "["):
        try:
            return decode(text.encode("utf-8", "surrogatepass"))
        except Undecodable:
            return text
    if _WHOLE.fullmatch(text):
        return int(text)
    if _FRACTION.fullmatch(text):
        return float(text)
    return text
