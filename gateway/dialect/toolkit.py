"""What several dialects need and none should write again. Pure functions over plain values."""

from decimal import Decimal


def js_number(number: float) -> str:
    """Return a number as JavaScript's `String(number)` spells it (ECMA-262, Number::toString).

    `1e21` gives `1e+21`, `1.5e-7` gives `1.5e-7`, `42.0` gives `42`. Integers are written exactly, however long:
    they were sent so, and an id must not lose digits. Infinity and NaN never get here: decode.py refuses them.
    """
    if isinstance(number, int):
        return str(number)
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
