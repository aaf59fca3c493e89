"""Scalars to strings and booleans, as upstream's validator (ajv with coercion on) does it. Pure."""

from decimal import Decimal


def text(value: object) -> str | None:
    """Return the string that upstream makes of a scalar or a one-element array; None where it makes none.

    Numbers are spelled as JavaScript spells them, but integers exactly, however long; null is the empty string.
    """
    if type(value) is str:
        return value
    value = alone(value)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return _spelled(value) if isinstance(value, float) else None


def alone(value: object) -> object:
    """Return the element of a one-element array; anything else unchanged."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def truth(value: object) -> bool:
    """Return `assigned` as a boolean; absent or null is true, the documented default."""
    return alone(value) not in (False, "false")  # 0 == False


def _spelled(number: float) -> str:
    """Return a float as JavaScript's Number.toString does (ECMA-262, Number::toString)."""
    sign = "-" if number < 0 else ""
    _, digits, exponent = Decimal(repr(abs(number))).normalize().as_tuple()
    assert isinstance(exponent, int), "decode.py lets no infinity through"
    shown = "".join([str(digit) for digit in digits])
    point = len(shown) + exponent
    if len(shown) <= point <= 21:
        return f"{sign}{shown}{'0' * (point - len(shown))}"
    if 0 < point <= 21:
        return f"{sign}{shown[:point]}.{shown[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{shown}"
    fraction = f".{shown[1:]}" if len(shown) > 1 else ""
    return f"{sign}{shown[0]}{fraction}e{point - 1:+d}"
