"""A digest of events that is the same for the same values, however they are spelled. Pure but for the reader.

Engines keep an event's values, not its bytes: jsonb has another order of fields, and writes 100 for 1e2.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from decimal import Decimal

import attrs
import orjson

from gateway.storage.read import LogReader, Position

EXACT_DIGITS = 15
"""Decimal numbers with no more digits than this that differ are different floating-point numbers too."""
_NUMBER = rb" ?-?(?:[0-9]+(?:\.[0-9]+)?[eE]|[0-9]+\.[0-9]*0(?![0-9])|[0-9.]{16}|(?<=-)0(?![0-9.]))"
# Numbers that may be spelled otherwise on the other side, or look like one in a text. Each begins with a fixed byte,
# for which there is a fast search.
_UNSURE = [re.compile(re.escape(before) + _NUMBER) for before in (b'":', b",", b"[")]


@attrs.define
class LogDigest:
    """The digest of the first `count` events of a log."""

    count: int = 0
    _cursor: Position | None = attrs.field(default=None, init=False)
    _more: bool = attrs.field(default=True, init=False)
    _page: list[bytes] = attrs.field(factory=list, init=False, repr=False)
    _hash: "hashlib.blake2b" = attrs.field(factory=lambda: hashlib.blake2b(digest_size=16), init=False, repr=False)

    @property
    def text(self) -> str:
        """The digest so far, in hex."""
        return self._hash.hexdigest()

    async def read(self, reader: LogReader, until: int | None = None) -> None:
        """Go on to the end of the log, or until so many events were read."""
        self._more = True
        while until is None or self.count < until:
            if not self._page:
                if not self._more:
                    return
                page = await reader.page(self._cursor)
                self._page, self._cursor, self._more = page.lines, page.cursor, page.more
            taken = len(self._page) if until is None else until - self.count
            self._add(self._page[:taken])
            self._page = self._page[taken:]

    def _add(self, lines: Sequence[bytes]) -> None:
        for line in lines:
            self._hash.update(canonical(line))
            self._hash.update(b"\n")
        self.count += len(lines)


def canonical(line: bytes) -> bytes:
    """Return an event in one spelling: two have the same if they have the same values.

    Numbers are compared exactly, as decimal ones.
    """
    if not any(each.search(line) for each in _UNSURE):
        return orjson.dumps(orjson.loads(line), option=orjson.OPT_SORT_KEYS)
    return orjson.dumps(_plain(json.loads(line, parse_float=Decimal, parse_int=_integer)), option=orjson.OPT_SORT_KEYS)


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) < EXACT_DIGITS else Decimal(text)


def _plain(value: object) -> object:
    """Return a value with each number as orjson would read it if it were spelled plainly.

    One that orjson would not keep exactly becomes a text that no event has.
    """
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if not isinstance(value, Decimal):
        return value
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int), "JSON has no NaN"
    text = "".join(map(str, digits)).lstrip("0")
    significant = text.rstrip("0")
    exponent += len(text) - len(significant)
    if not significant:
        return 0
    if exponent >= 0 and len(significant) + exponent <= EXACT_DIGITS:
        whole = int(significant) * 10**exponent
        return -whole if sign else whole
    if exponent < 0 and max(len(significant), 1 - exponent) <= EXACT_DIGITS:
        return float(value)
    return f"\0{'-' if sign else ''}{significant}e{exponent}"
