"""Decodes the JSON of clients. It guesses nothing; of what it decodes, flaws.py finds what cannot be stored faithfully.

Codes of its faults: `empty`, `malformed`, `invalid_utf8` and `too_deep`, all of a whole body.
"""

import json
import math
from collections.abc import Collection
from typing import NoReturn

import orjson

from gateway.dialect.flaws import MAX_DEPTH as MAX_DEPTH
from gateway.dialect.flaws import Unkept as Unkept
from gateway.dialect.flaws import escape as escape
from gateway.dialect.flaws import flaws as flaws
from gateway.dialect.outcome import Fault
from gateway.dialect.value_count import MAX_VALUES as MAX_VALUES
from gateway.dialect.value_count import refuse_many_values

MAX_DIGITS = 1000  # a longer integer is no id and no amount; Python itself stops at 4,300

_BOM = b"\xef\xbb\xbf"
_SHAPES = bytes(ord("0") if byte in b"0123456789" else ord("e") if byte in b"eE" else ord(" ") for byte in range(256))
_LONG_NUMBER = b"0" * 19
_TOO_LONG = b"0" * (MAX_DIGITS + 1)
_HUGE = (b"e000", b"0" * 200)  # without one of these no number exceeds a double, which ends at 1.8e308


class Undecodable(Exception):
    """A body that cannot be decoded; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.code)
        self.fault = fault


def decode(body: bytes) -> object:
    """Return the JSON value of a request body.

    Raises Undecodable on what is not JSON, NaN and numbers beyond a double (`1e400`) included, and Refusal on more than
    MAX_VALUES values. An integer of more than MAX_DIGITS becomes an `Unkept` mark, and a lone surrogate stays as it is:
    `flaws` finds both. orjson turns integers beyond 64 bits into floats, so a body with a long run of digits is decoded
    by the slower `json`, as is a body that orjson refuses.
    """
    refuse_many_values(body)
    if _LONG_NUMBER not in body.translate(_SHAPES):  # ten times faster than a regular expression
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            pass
    return _decode_slowly(body)


def may_have_flaws(body: bytes) -> bool:
    """Return whether the value of a body may have what `flaws` looks for, nesting apart. Very few have."""
    return b"\\ud" in body or b"\\uD" in body or _LONG_NUMBER in body.translate(_SHAPES)


def _decode_slowly(body: bytes) -> object:
    if body.startswith(_BOM):
        body = body[len(_BOM) :]
    if not body.strip():
        raise Undecodable(Fault("empty"))
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Undecodable(Fault("invalid_utf8", detail={"offset": error.start})) from None
    # Python's own functions read numbers in half the time that one of ours takes.
    shapes = body.translate(_SHAPES, b"+")
    parse_int = _integer if _TOO_LONG in shapes else None
    try:
        value = json.loads(text, parse_int=parse_int, parse_constant=_refuse_constant)
    except RecursionError:
        raise Undecodable(Fault("too_deep", detail={"limit": MAX_DEPTH})) from None
    except json.JSONDecodeError as error:
        raise Undecodable(Fault("malformed", detail={"problem": error.msg, "offset": error.pos})) from None
    except _Constant as constant:
        offset = text.find(constant.name)
        raise Undecodable(Fault("malformed", detail={"problem": "Expecting value", "offset": offset})) from None
    if any(shape in shapes for shape in _HUGE) and _has_infinity(value):
        raise Undecodable(Fault("malformed", detail={"problem": "Number too large", "offset": _large_number(body)}))
    return value


def _integer(digits: str) -> int | Unkept:
    return int(digits) if len(digits) <= MAX_DIGITS else Unkept("integer_too_long", digits)


class _Constant(Exception):
    """NaN or Infinity, which Python accepts although JSON does not have them."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _refuse_constant(name: str) -> NoReturn:
    raise _Constant(name)


def _has_infinity(value: object) -> bool:
    """Return whether a number of a decoded value was too large for a double: `json` reads `1e400` as infinity."""
    stack: list[Collection[object]] = [[value]]
    while stack:
        values = stack.pop()
        if math.inf in values or -math.inf in values:  # compared in C
            return True
        for child in values:
            if type(child) is list:
                stack.append(child)
            elif type(child) is dict:
                stack.append(child.values())
    return False


def _large_number(body: bytes) -> int:
    """Return where a number beyond a double stands: orjson says so once no surrogate stops it earlier."""
    try:
        orjson.loads(body.replace(b"\\ud", b"\\u0").replace(b"\\uD", b"\\u0"))
    except orjson.JSONDecodeError as error:
        return error.pos
    return 0


def rewrite(value: object) -> bytes:
    """Return a decoded value as JSON again, whatever its flaws; an `Unkept` mark is written as a string of its text.

    Raises RecursionError on nesting beyond what Python can write.
    """
    return json.dumps(value, default=lambda unkept: unkept.text, separators=(",", ":")).encode("ascii")
