"""The lines of events as PostgreSQL keeps them. Pure.

A line becomes jsonb, which has the same values in another order and spelling. It cannot hold U+0000: such a line is
kept as text beside it, and has U+FFFD in its jsonb. It writes numbers without exponents, `1e308` as 309 digits: a line
with many of these is kept as text too, or its readers would get some fifty times what was sent.
"""

import json
from collections.abc import Sequence

NUL = "\\u0000"
MANY_EXPONENTS = 1000
"""Their digits are less than half a megabyte."""
_SHAPES = bytes(ord("0") if byte in b"0123456789" else ord("e") if byte in b"eE" else ord(" ") for byte in range(256))


def encoded(lines: Sequence[bytes]) -> tuple[list[str], list[str | None] | None]:
    """Return lines as JSON that jsonb takes, and their own text for those that it cannot hold; None if it holds all.

    Raises UnicodeDecodeError on a line that is not UTF-8.
    """
    texts = [line.decode() for line in lines]
    exact = [text if NUL in text or _grows(line) else None for text, line in zip(texts, lines, strict=True)]
    if not any(exact):
        return texts, None
    return [text if NUL not in text else json.dumps(_without_nul(json.loads(text))) for text in texts], exact


def joined(lines: Sequence[bytes]) -> tuple[str, list[str | None] | None]:
    """Return the same in one text, a line each: cheaper to send than an array, and to take apart.

    Raises UnicodeDecodeError on a line that is not UTF-8.
    """
    text = b"\n".join(lines).decode()
    if NUL not in text and not any(map(_grows, lines)):
        return text, None
    texts, exact = encoded(lines)
    return "\n".join(texts), exact


def _grows(line: bytes) -> bool:
    """Return whether a line has very many numbers with an exponent of two or three digits."""
    if len(line) < 5 * MANY_EXPONENTS:  # as nearly all are
        return False
    shapes = line.translate(_SHAPES, b"+-")  # ten times faster than a regular expression
    return shapes.count(b"0e00") > MANY_EXPONENTS


def _without_nul(value: object) -> object:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, list):
        return [_without_nul(each) for each in value]
    if isinstance(value, dict):
        return {_without_nul(name): _without_nul(each) for name, each in value.items()}
    return value
