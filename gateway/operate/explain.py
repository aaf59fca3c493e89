"""Faults as sentences for operators. The texts that a vendor's clients get are the dialects' business."""

from collections.abc import Mapping, Sequence
from typing import Any

_WITH_LIMIT = {
    "minLength": "is shorter than {limit} characters",
    "maxLength": "is longer than {limit} characters",
    "minItems": "has fewer than {limit} elements",
    "maxItems": "has more than {limit} elements",
    "minimum": "is below {limit}",
    "maximum": "is above {limit}",
    "maxProperties": "has more than {limit} fields",
    "too_many": "has more than {limit} items",
    "too_long": "is longer than {limit} bytes",
}
_PLAIN = {
    # As the facts beside them are not known, or differ.
    "type": "has another type than its schema requires",
    "enum": "is none of the values that its schema allows",
    "const": "is not the value that its schema requires",
    "minLength": "is too short",
    "maxLength": "is too long",
    "minItems": "has too few elements",
    "maxItems": "has too many elements",
    "minimum": "is too small",
    "maximum": "is too large",
    "maxProperties": "has too many fields",
    "too_many": "has too many items",
    "too_long": "is too long to be read",
    # There are none.
    "empty": "is empty",
    "malformed": "is not valid JSON",
    "malformed_encoding": "cannot be decompressed: it does not match its Content-Encoding",
    "invalid_utf8": "is not UTF-8",
    "too_deep": "is nested too deeply",
    "lone_surrogate": "contains half of a surrogate pair, which cannot be stored as text",
    "number_too_large": "is a number that is too large for JSON readers",
    "integer_too_long": "is an integer with too many digits",
    "nul_in_identifier": "contains a NUL character in an identifier",
    "not_array": "must be an array",
    "not_object": "must be an object",
    "not_an_object": "must be an object",
    "timestamp": "is not a time",
    "not_a_time": "is not a time",
    "timestamp_window": "is a time that is too far in the past or in the future",
    "map": "has a value that its type in the map does not allow",
    "unknown_type": "is not a known type of event",
    "no_id": "needs a user id or an anonymous id",
    "no_group_id": "is missing",
    "invalid": "does not match its schema",
    "known_bot": "names a known crawler",
    "pattern": "does not have the format that its schema requires",
    "additionalProperties": "has fields that its schema does not allow",
    "anyOf": "has none of the forms that its schema allows",
    "oneOf": "must have exactly one of the forms that its schema allows",
    "no_such_item": "is not in its request any more, as the installed dialect reads it",
    "no_such_route": "came by a route that the installed dialects do not have",
    "not_kept": "was not kept: the quarantine of its project was full (quarantine_megabytes)",
    "privacy": "was not kept: its client asked for privacy (honour_gpc, honour_dnt)",
    "damaged_request": "is damaged: the request in which it came cannot be read",
    "no_request": "has no request any more: an older gateway kept none, or it went with a person who was erased",
}
_FACTS = {
    "allowed": "the methods allowed here are {value}",
    "current": "the credential's scopes are {value}",
    "encoding": "the Content-Encoding was {value}",
    "kind": "the credential was of the kind {value}",
    "limit": "the limit is {value}",
    "origin": "the request's Origin was {value}",
    "required": "the scope that is required is {value}",
    "window": "the limit is counted over {value} seconds",
}
"""The details of a rejection, which are kept as faults with the detail's name as code: `{"origin": "https://..."}`."""

MAX_BRANCHES = 4
"""A sentence names no more of a schema's alternatives than this."""


def explain(code: str, pointer: str = "", detail: Mapping[str, Any] | None = None) -> str:
    """Return one sentence, without a full stop, about a fault: `/name must be string, not number`.

    `pointer` is a JSON pointer, and empty for the item itself. What comes from the client is printable in the result.
    """
    facts = detail or {}
    if facts.keys() == {code} and code in _FACTS:
        return _printable(_FACTS[code].format(value=_listed(facts[code])))
    where = pointer or ("the request" if code == "no_such_route" else "the item")
    return _printable(f"{where} {_what(code, facts, pointer)}")


def _what(code: str, facts: Mapping[str, Any], pointer: str) -> str:
    if code == "required":
        return "is missing"
    if code == "type" and "expected" in facts:
        received = f", not {facts['received']}" if "received" in facts else ""
        return f"must be {facts['expected']}{received}"
    if code in ("enum", "const") and "allowed" in facts:
        return f"must be one of {facts['allowed']}"
    if code in _WITH_LIMIT and "limit" in facts:
        return _WITH_LIMIT[code].format(limit=facts["limit"])
    if code == "more_faults" and "count" in facts:
        return f"has {facts['count']} more faults, which are not kept"
    if code == "anyOf" and 0 < len(facts.get("branches", ())) <= MAX_BRANCHES:
        return _alternatives(facts["branches"], pointer)
    return _PLAIN.get(code) or f"is not valid: {code.replace('_', ' ')}"


def _alternatives(branches: Sequence[Sequence[Mapping[str, Any]]], pointer: str) -> str:
    """Return what is wrong with each of the alternatives: `needs userId or anonymousId` if only fields are missing.

    A branch is a list of faults, each `{"code": ..., "pointer": ...}` with the facts of its detail beside them.
    """
    if all(fault["code"] == "required" for faults in branches for fault in faults):
        fields = [" and ".join(fault["pointer"].removeprefix(f"{pointer}/") for fault in faults) for faults in branches]
        return f"needs {' or '.join(fields)}"
    causes = [" and ".join(explain(fault["code"], fault["pointer"], fault) for fault in faults) for faults in branches]
    return f"has none of the forms that its schema allows: {'; or '.join(causes)}"


def _listed(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


def _printable(text: str) -> str:
    """Return a text with control characters and lone surrogates escaped, so that a terminal shows them as text."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)
