"""What a map may make of a value: each word is a function, which raises on what is not of its type. Pure."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import orjson

from gateway.dialect import from_millis


def _number(value: object) -> object:
    number = float(str(value))
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError
    return int(number) if number.is_integer() and "e" not in str(value).lower() else number


def _integer(value: object) -> object:
    if isinstance(value, float) and not value.is_integer():
        raise ValueError
    return int(value) if isinstance(value, float) else int(str(value))


def _boolean(value: object) -> object:
    return {"true": True, "1": True, "yes": True, "t": True, "false": False, "0": False, "no": False, "f": False}[
        str(value).strip().lower()
    ]


def _text(value: object) -> object:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _json(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value


def _time(value: object) -> object:
    """Return a date and time as RFC 3339: `2024-03-01 12:00:00 UTC` too. One without a zone is in UTC."""
    text = str(value).strip().removesuffix(" UTC").removesuffix(" utc")
    read = datetime.fromisoformat(text[:64])
    whole = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    return whole.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _of_millis(millis: float) -> object:
    found = from_millis(round(millis))
    if found is None:
        raise ValueError
    return found


TYPES: Mapping[str, Callable[[object], object]] = {
    "text": _text,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "json": _json,
    "time": _time,
    "seconds": lambda value: _of_millis(float(str(value)) * 1000),
    "milliseconds": lambda value: _of_millis(float(str(value))),
}
"""What may be made of a value, by the word in a map."""
