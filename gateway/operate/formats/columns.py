"""The columns of a table of events: the canonical fields in their order, each value as text. Pure."""

import json
from collections.abc import Iterator

import attrs
import orjson

from gateway.dialect.decode import may_have_flaws
from gateway.dialect.event import Event
from gateway.operate.formats.encoder import FormatError
from gateway.storage.read import Page, Position

POSITION = "position"
COLUMNS = tuple([field.name for field in attrs.fields(Event)])
"""`project`, `dialect`, `type`, `name`, ... `context`: see docs/events.md."""

Cell = str | None
"""A text as it is, any other value as JSON; None for null and for what is not there."""


def rows(page: Page) -> Iterator[tuple[Position, list[Cell]]]:
    """Yield the position of each event and its cells, in the order of COLUMNS. Raises FormatError on what is no event.

    Integers beyond 64 bits keep all their digits. orjson would make floats of them, so such lines take longer.
    """
    are_plain = not may_have_flaws(page.text)
    for position, line in page.events:
        try:
            yield position, _plain(line) if are_plain or not may_have_flaws(line) else _exact(line)
        except (ValueError, AttributeError) as error:
            raise FormatError(f"the event at {position} cannot be read: {error}") from None


def _plain(line: bytes) -> list[Cell]:
    event = orjson.loads(line)
    values = [event.get(name) for name in COLUMNS]
    return [value if value is None or type(value) is str else orjson.dumps(value).decode() for value in values]


def _exact(line: bytes) -> list[Cell]:
    event = json.loads(line)
    values = [event.get(name) for name in COLUMNS]
    texts = [value if value is None or type(value) is str else _json(value) for value in values]
    return [None if text is None else _whole(text) for text in texts]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _whole(text: str) -> str:
    """Return a text that is UTF-8: half of a surrogate pair becomes U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
