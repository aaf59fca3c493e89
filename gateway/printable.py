"""What a terminal would obey, or a reader would not see, as visible escapes. Pure.

The escapes are those of JSON. So a line of JSON stays the same JSON: such characters stand only inside its strings.
"""

import re

# All of Unicode's categories Cc, Cf, Cs, Zl and Zp but the tab and the line feed, and what Unicode calls
# default-ignorable: control characters (also U+009B, which begins a terminal's commands), bidirectional overrides and
# isolates, zero-width and other invisible characters, half surrogates, the whole plane of tags.
_HIDDEN = (
    "\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_IN_LINES = re.compile(f"[{_HIDDEN}]")
_IN_A_LINE = re.compile(f"[{_HIDDEN}\\t\\n]")


def printable(text: str) -> str:
    r"""Return a text in one line, with an escape such as `\u009b` for each character that is not to be obeyed."""
    return text if text.isascii() and text.isprintable() else _IN_A_LINE.sub(_escape, text)


def printable_lines(text: str) -> str:
    """Return a text with the same escapes that keeps its line feeds and tabs."""
    return _IN_LINES.sub(_escape, text)


def first_hidden(text: str) -> int | None:
    """Return the index of the first character that `printable` would escape, or None."""
    found = _IN_A_LINE.search(text)
    return None if found is None else found.start()


def _escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
