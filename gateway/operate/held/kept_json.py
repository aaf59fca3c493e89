"""Kept records as JSON for people. One that cannot be read is a line that says so, and never the end of a list."""

import json
from collections.abc import Mapping
from typing import Any

from gateway.operate.explain import explain

UNREADABLE = "what was kept of the request is damaged"


def explained(faults: str) -> list[dict[str, Any]]:
    """Return the faults of a record (a JSON list) with a sentence about each. Raises ValueError and TypeError."""
    found = json.loads(faults)
    if not isinstance(found, list):
        raise ValueError("the faults are no list")
    return [{**fault, "sentence": _sentence(fault)} for fault in found]


def pretty(text: str, most: int) -> str:
    """Return a JSON text over several lines; the text as it is where that would change what it says.

    So it is too where the lines had more than `most` characters: a small text that is nested deeply is indented to a
    thousand times its size.
    """
    made: list[str] = []
    room = most
    try:
        for piece in json.JSONEncoder(indent=2, ensure_ascii=False, allow_nan=False).iterencode(json.loads(text)):
            made.append(piece)
            room -= len(piece)
            if room < 0:
                return text
    except (ValueError, RecursionError):  # no JSON, a number of too many digits, or one that is infinite
        return text
    return "".join(made)


def unreadable(row: Mapping[str, Any], problem: Exception) -> bytes:
    """Return the line of a record that is not what it should be, with all of it that can be shown."""
    shown = {name: value if value is None or isinstance(value, int) else _text(value) for name, value in row.items()}
    return json.dumps({**shown, "unreadable": f"this record is damaged: {problem}"}).encode()


def json_or_text(kept: bytes) -> object:
    """Return the value of a JSON text that was kept; the text itself if it is damaged."""
    try:
        return json.loads(kept)
    except ValueError:
        return kept.decode("utf-8", "backslashreplace")


def _sentence(fault: object) -> str:
    if not isinstance(fault, dict) or not isinstance(fault.get("code"), str):
        raise ValueError("a fault has no code")
    pointer, detail = fault.get("pointer", ""), fault.get("detail", {})
    try:
        return explain(fault["code"], str(pointer), detail if isinstance(detail, dict) else {})
    except (KeyError, TypeError, AttributeError, IndexError):
        return explain(fault["code"], str(pointer))


def _text(value: object) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
