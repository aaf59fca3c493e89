"""Faults as sentences for people who look after a gateway. Vendors' own texts are the dialects' business."""

from collections.abc import Mapping
from typing import Any

_LIMITED = {
    "minLength": "is shorter than {limit} characters",
    "maxLength": "is longer than {limit} characters",
    "minItems": "has fewer than {limit} elements",
    "maxItems": "has more than {limit} elements",
    "minimum": "is below {limit}",
    "maximum": "is above {limit}",
    "maxProperties": "has more than {limit} fields",
}
_PLAIN = {
    "empty": "is empty",
    "malformed": "is not JSON",
    "invalid_utf8": "is not UTF-8",
    "too_deep": "is nested too deeply to be written again",
    "lone_surrogate": "holds half of a surrogate pair, which no text can keep",
    "number_too_large": "is a number beyond what JSON readers can hold",
    "integer_too_long": "is an integer of more digits than anybody means",
    "nul_in_identifier": "holds a NUL character in an identifier",
    "timestamp": "is not a time",
    "invalid": "does not meet its schema",
    "known_bot": "names a known crawler",
    "pattern": "does not have the form that its schema asks for",
    "additionalProperties": "has fields that its schema does not allow",
    "anyOf": "meets none of the forms that its schema allows",
    "oneOf": "meets none or several of the forms that its schema allows",
    "no_such_item": "has no item at this place any more, as today's dialect reads it",
    "no_such_route": "came in by a route that today's dialects do not have",
    "no_request": "was kept by an older gateway, without the request that it came in",
}


def explain(code: str, pointer: str = "", detail: Mapping[str, Any] | None = None) -> str:
    """Return what a fault says, in one sentence."""
    facts = detail or {}
    where = pointer or ("the request" if code.startswith("no_") else "the item")
    if code == "required":
        return f"{where} is missing"
    if code == "type" and "expected" in facts:
        received = f", not {facts['received']}" if "received" in facts else ""
        return f"{where} must be {facts['expected']}{received}"
    if code in ("enum", "const") and "allowed" in facts:
        return f"{where} must be one of {facts['allowed']}"
    if code in _LIMITED and "limit" in facts:
        return f"{where} {_LIMITED[code].format(limit=facts['limit'])}"
    return f"{where} {_PLAIN[code]}" if code in _PLAIN else f"{where} is not fit: {code.replace('_', ' ')}"
