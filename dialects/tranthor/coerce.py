"""Scalars to strings and booleans, as upstream's validator (ajv with type coercion) does it. Pure."""

from gateway.dialect import js_number


def text(value: object) -> str | None:
    """Return the string that upstream makes of a scalar or a one-element array; None for anything else.

    `null` becomes `""`, `true` becomes `"true"`, `1.50` becomes `"1.5"`. Long integers are exact; upstream loses their
    last digits.
    """
    if type(value) is str:
        return value
    value = unwrapped(value)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return js_number(value) if isinstance(value, int | float) else None


def unwrapped(value: object) -> object:
    """Return the element of a one-element array; anything else unchanged."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def is_assigned(value: object) -> bool:
    """Return a group's `assigned` as a boolean. Absent or null means true, the documented default."""
    return unwrapped(value) not in (False, "false")  # 0 == False
