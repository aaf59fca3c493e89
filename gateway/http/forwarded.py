"""The header `Forwarded` (RFC 7239), read from its end. Pure, and linear in what is looked at."""

from collections.abc import Iterable, Iterator

MAX_ELEMENT = 512
"""How many characters an element may have: its `for`, `by`, `host` and `proto`."""
MAX_LOOKED_AT = 4096
"""How many characters of a header are looked at, which takes a millisecond."""


def addresses_in(value: str, most: int) -> Iterator[str]:
    """Yield what each element says in `for`, the last element first, and no more than `most`.

    `for=192.0.2.9, for="[2001:db8::1]:443";proto=https` gives `"[2001:db8::1]:443"` and `192.0.2.9`. An element without
    a `for`, or with two, or that is too long or too far from the end, gives `?`, which is no address. Empty ones are
    left out.

    The last proxy's element is well-formed, whatever a client has written before it: an open quote there would hide the
    rest from who reads from the left.
    """
    text = value[-MAX_LOOKED_AT:]
    end = len(text)
    for _ in range(most):
        if end < 0:
            return
        element, end = _last(text, end, ",")
        if end < 0 and len(text) < len(value):  # it has been cut
            yield "?"
        elif element and not element.isspace():
            yield _for(element)


def _for(element: str) -> str:
    if len(element) > MAX_ELEMENT:
        return "?"
    named = [pair.partition("=") for pair in _pairs(element)]
    found = [said for name, _, said in named if name.strip().lower() == "for"]
    return found[0] if len(found) == 1 else "?"


def _pairs(element: str) -> Iterable[str]:
    return _pairs_and_quotes(element) if '"' in element else element.split(";")


def _pairs_and_quotes(element: str) -> Iterator[str]:
    end = len(element)
    while end >= 0:
        pair, end = _last(element, end, ";")
        yield pair


def _last(text: str, end: int, separator: str) -> tuple[str, int]:
    """Return what is behind the last separator before `end` that is in no quotes, and where that stands; or -1.

    Of a text without one, no more is looked at than an element may have.
    """
    in_quotes = False
    first = max(end - MAX_ELEMENT - 1, 0)
    for at in range(end - 1, first - 1, -1):
        if text[at] == separator and not in_quotes:
            return text[at + 1 : end], at
        if text[at] == '"' and not (in_quotes and _is_escaped(text, at)):
            in_quotes = not in_quotes
    return text[first:end], -1


def _is_escaped(text: str, at: int) -> bool:
    """Return whether a backslash that is none's escape stands before a place."""
    first = at
    while first > 0 and text[first - 1] == "\\":
        first -= 1
    return (at - first) % 2 == 1
