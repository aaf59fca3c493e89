"""How facts look on a page: times, sizes, counts, and what clients sent. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.dialect.timestamps import from_millis
from gateway.printable import printable, printable_lines

NOTHING = "–"
UNITS = ("B", "KB", "MB", "GB", "TB")


def time(millis: float | None) -> str:
    """Return milliseconds since the epoch as RFC 3339: `2026-11-27T21:00:00.000Z`."""
    return NOTHING if millis is None else from_millis(millis) or NOTHING


def visible(value: object) -> str:
    """Return a text of a client in one line, with escapes for what a reader would not see. It is no markup yet."""
    return NOTHING if value is None else printable(str(value))


def visible_lines(value: object) -> str:
    """Return a text of a client that keeps its lines, such as JSON over several."""
    return NOTHING if value is None else printable_lines(str(value))


def short(value: object, length: int = 80) -> str:
    """Return the beginning of what `visible` returns. The whole belongs into a title or on a page of its own."""
    text = NOTHING if value is None else str(value)[: length + 1]  # cut first: a client's text may be long
    text = printable(text)
    return text if len(text) <= length else f"{text[: length - 1]}…"


def size(count: float | None) -> str:
    """Return bytes for people: `999 B`, `1.5 MB`. A kilobyte is 1,000 bytes."""
    if count is None:
        return NOTHING
    amount, unit = float(count), 0
    while amount >= 999.95 and unit < len(UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:,.0f} {UNITS[unit]}" if unit == 0 else f"{amount:,.1f} {UNITS[unit]}"


def number(count: float | None) -> str:
    """Return a count with its thousands apart: `1,234,567`."""
    return NOTHING if count is None else f"{count:,}"


FILTERS: Mapping[str, Callable[..., Any]] = {
    "time": time,
    "visible": visible,
    "visible_lines": visible_lines,
    "short": short,
    "size": size,
    "number": number,
}
