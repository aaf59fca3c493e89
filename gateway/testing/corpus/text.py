"""How a case is written into its file: JSON with a line for what fits into one, and what is invisible escaped. Pure."""

import json
import re
from typing import Any

WIDTH = 120  # characters
INDENT = 2
DELETE = "\x7f"
"""The one invisible character that JSON's writer does not escape."""


def case_text(case: dict[str, Any]) -> str:
    """Return the text of a case's file, or of its credentials. Equal cases have equal texts."""
    return _broken(case, 0) + "\n"


def _written(value: Any, indent: int, before: int, after: int) -> str:
    """Return a value on one line, if that has room for it between what stands before and after it."""
    line = _line(value)
    if before + len(line) + after <= WIDTH or not (isinstance(value, dict | list) and value):
        return line
    return _broken(value, indent)


def _broken(value: Any, indent: int) -> str:
    inner = indent + INDENT
    if isinstance(value, dict):
        names = [f"{_line(name)}: " for name in value]
        parts = [_written(each, inner, inner + len(name), 1) for name, each in zip(names, value.values(), strict=True)]
        opened, closed = "{", "}"
    else:
        names = [""] * len(value)
        parts = [_written(each, inner, inner, 1) for each in value]
        opened, closed = "[", "]"
    if not parts:
        return opened + closed
    lines = ",\n".join(f"{' ' * inner}{name}{part}" for name, part in zip(names, parts, strict=True))
    return f"{opened}\n{lines}\n{' ' * indent}{closed}"


def _line(value: Any) -> str:
    return re.sub(r"[^ -~]", _seen, json.dumps(value, ensure_ascii=False, separators=(", ", ": ")))


def _seen(found: re.Match[str]) -> str:
    """Return a character as it is where everybody sees it, else escaped: half an emoji, a space that is none."""
    character = found[0]
    if character.isprintable():
        return character
    return json.dumps(character)[1:-1] if character > DELETE else f"\\u{ord(character):04x}"
