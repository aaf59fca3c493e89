"""Finds what of a decoded value cannot be stored faithfully, and where; lazily, and no more than a few places.

Codes: `lone_surrogate`, `integer_too_long` and `too_deep`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

import attrs
import orjson

from gateway.dialect.outcome import Fault

MAX_DEPTH = 250  # orjson writes 254 levels, and the canonical event adds some
MAX_FLAWS = 10  # that are looked for in one value: the first of them makes it unfit
MAX_POINTER = 500  # characters; a client may have keys of megabytes

Step = str | int
_HARMLESS = frozenset({int, float, bool, type(None)})
_SURROGATE = re.compile("[\ud800-\udfff]")


@attrs.frozen
class Unkept:
    """Stands for a valid JSON number in a decoded body that cannot be stored; `text` is how it was written."""

    code: str
    text: str = attrs.field(repr=False)


def flaws(value: object, most: int = MAX_FLAWS) -> tuple[Fault, ...]:
    """Return why a decoded value cannot be stored: a fault for each of its first places; empty if it can."""
    return () if _is_plain(value) else tuple(islice(_flaws(value), most))


def _is_plain(value: object) -> bool:
    """Return whether a value has no flaw, as far as that can be told in a fortieth of the time."""
    try:
        orjson.dumps([[[[value]]]])  # with these it writes just MAX_DEPTH levels, and never half a character
    except TypeError:
        return False
    return True


def _flaws(value: object) -> Iterator[Fault]:
    path: list[Step] = [""]
    stack: list[Iterator[tuple[Step, object]]] = [iter([("", value)])]
    while stack:
        for step, node in stack[-1]:
            path[-1] = step
            if isinstance(step, str) and not is_whole(step):
                yield Fault("lone_surrogate", pointer(path[1:]))
            if isinstance(node, str):
                if not is_whole(node):
                    yield Fault("lone_surrogate", pointer(path[1:]))
            elif isinstance(node, Unkept):
                yield Fault(node.code, pointer(path[1:]))
            elif isinstance(node, list | dict | Mapping) and node:
                if len(stack) > MAX_DEPTH:
                    yield Fault("too_deep", detail={"limit": MAX_DEPTH})
                    return
                path.append("")
                stack.append(elements(node) if isinstance(node, list) else members(node))
                break
        else:
            stack.pop()
            path.pop()


def members(node: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Yield the members of an object that may have a flaw: nearly all values are numbers, ASCII or empty."""
    for key, child in node.items():
        harmless = type(child) in _HARMLESS or not child or (type(child) is str and child.isascii())
        if not harmless or not key.isascii():
            yield key, child


def elements(node: list[object]) -> Iterator[tuple[int, object]]:
    """Yield the elements of an array that may have a flaw, with their indexes."""
    for index, child in enumerate(node):
        if type(child) in _HARMLESS or not child or (type(child) is str and child.isascii()):
            continue
        yield index, child


def is_whole(text: str) -> bool:
    """Return whether a text has no half of a surrogate pair."""
    try:
        text.encode()  # three times faster than a regular expression
    except UnicodeEncodeError:
        return False
    return True


def whole(text: str, mark: str = "\ufffd") -> str:
    """Return a text with each half of a surrogate pair replaced, by U+FFFD: `"ab \\ud83d"` gives `"ab \\ufffd"`."""
    return text if text.isascii() else _SURROGATE.sub(mark, text)


def pointer(steps: Iterable[Step]) -> str:
    """Return a JSON pointer (RFC 6901) that can be stored: `["a/b", 0]` gives `/a~1b/0`.

    Keys are mended as they are where a value is stored. Beyond MAX_POINTER characters it is cut, and ends with `...`.
    """
    written = ""
    for step in steps:
        written += f"/{step}" if isinstance(step, int) else f"/{escape(whole(step[:MAX_POINTER]))}"
        if len(written) > MAX_POINTER:
            return f"{written[:MAX_POINTER]}..."
    return written


def escape(key: str) -> str:
    """Return a key as one step of a JSON pointer (RFC 6901): `a/b` gives `a~1b`."""
    return key.replace("~", "~0").replace("/", "~1")
