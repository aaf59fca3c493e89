"""What a promise expects: `equal`, `holds` and `raises`. Each raises AssertionError with what was found instead."""

import contextlib
import re
from collections.abc import Iterator, Sequence

MOST = 400
"""How many characters of a value are shown."""


def equal(found: object, expected: object) -> None:
    """Raise AssertionError, with both values cut to where they begin to differ, unless they are equal."""
    if found != expected:
        shown, wanted = repr(found), repr(expected)
        start = next((index for index, (a, b) in enumerate(zip(shown, wanted, strict=False)) if a != b), 0)
        start = start - MOST // 4 if max(len(shown), len(wanted)) > MOST else 0
        raise AssertionError(f"found     {cut(shown, start)}\n  expected  {cut(wanted, start)}")


def holds(truth: object) -> None:
    """Raise AssertionError unless something is so."""
    if not truth:
        raise AssertionError("this does not hold")


def none_of(found: Sequence[object], what: str) -> None:
    """Raise AssertionError, with how many there are and the first ones, unless there is none."""
    if found:
        raise AssertionError(f"{len(found)} of these: {what}: {cut(repr(found[:10]))}")


@contextlib.contextmanager
def raises(*kinds: type[Exception], match: str = "") -> Iterator[None]:
    """Raise AssertionError unless the block raises one of these, whose message a regular expression matches."""
    named = " or ".join(kind.__name__ for kind in kinds)
    try:
        yield
    except kinds as error:
        if not re.search(match, str(error)):
            raise AssertionError(f"the message of {type(error).__name__} does not match {match!r}: {error}") from error
    else:
        raise AssertionError(f"nothing was raised; {named} was expected")


def cut(text: str, start: int = 0) -> str:
    """Return a part of a text that is short enough to be printed."""
    start = max(start, 0)
    part = text[start : start + MOST]
    return f"{'... ' * (start > 0)}{part}{' ...' * (len(text) > start + MOST)}"
