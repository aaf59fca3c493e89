"""What several dialects need. Pure functions over plain values."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeVar

from gateway.dialect.decode import Undecodable, decode
from gateway.dialect.flaws import whole
from gateway.dialect.message import Request
from gateway.dialect.outcome import Fault

Sent = TypeVar("Sent")

_EMPTY: Mapping[str, object] = {}


def json_or_fault(body: bytes) -> tuple[object, Fault | None]:
    """Return a body's JSON value and None, or None and why it cannot be read (the codes of decode.py).

    Raises Refusal if the body has more than MAX_VALUES values.
    """
    try:
        return decode(body), None
    except Undecodable as problem:
        return None, problem.fault


def json_type(value: object) -> str:
    """Return the JSON name of a decoded value's type: null, boolean, number, string, array or object."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, list):
        return "array"
    return "object" if isinstance(value, dict) else "number"


def unknown_fields(payload: Mapping[str, object], known: frozenset[str]) -> Mapping[str, object]:
    """Return the fields of a payload that are not among the known ones; the same empty mapping when all are."""
    if payload.keys() <= known:
        return _EMPTY
    return {name: value for name, value in payload.items() if name not in known}


def bearer(headers: Mapping[str, str]) -> str | None:
    """Return the token of `Authorization: Bearer <token>`, the scheme in any case; None without that scheme.

    `Bearer` alone gives an empty token: something was sent, and it opens nothing.
    """
    scheme, *token = headers.get("authorization", "").split(None, 1) or [""]
    return "".join(token).strip() if scheme.lower() == "bearer" else None


def clean_header(value: str) -> str:
    """Return a header as a text that can be stored: each byte that is not UTF-8 becomes one U+FFFD."""
    return whole(value)


def is_browser(request: Request) -> bool:
    """Return whether a request is a browser's: it has `Origin` or `Sec-Fetch-Site`, which pages cannot leave out."""
    return "origin" in request.headers or "sec-fetch-site" in request.headers


def visitor(request: Request) -> dict[str, object]:
    """Return `ip` and `user_agent` of a browser's connection, each if known; nothing for a customer's own server.

    They are the visitor's canonical context. What the body says of either goes before them.
    """
    context: dict[str, object] = {}
    if is_browser(request):
        if request.client_ip is not None:
            context["ip"] = request.client_ip
        user_agent = request.headers.get("user-agent")
        if user_agent:
            context["user_agent"] = clean_header(user_agent)
    return context


def time_or_original(
    sent: Sent, read: Callable[[Sent], str | None], *, min_millis: int = 0
) -> tuple[str | None, object]:
    """Return a client's time in canonical form, and what was sent if it must be kept beside it, else None.

    `read` gives the canonical form, or None for what is not a time. A whole number from `min_millis` on is in
    milliseconds; it is not kept, since it can be computed back from the time. Smaller numbers are seconds.

    `"2024-03-01"` gives `("2024-03-01T00:00:00.000Z", "2024-03-01")`, and `"junk"` gives `(None, "junk")`.
    """
    timestamp = read(sent)
    is_canonical = timestamp == sent
    if is_canonical:
        return timestamp, None
    is_whole = type(sent) is int or (isinstance(sent, float) and sent.is_integer())
    is_millis = is_whole and isinstance(sent, int | float) and abs(sent) >= min_millis
    return timestamp, None if timestamp is not None and is_millis else sent


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
