"""One person of a project who is to be erased: whose an event is, and where else the person's id stands. Pure.

The search goes through bytes first, in C: only what may hold the id is parsed. All of it takes time in proportion to
the text, whoever wrote that.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import quote, quote_plus

import attrs
import orjson

from gateway.records.json_strings import views

ERASED = "[erased]"
"""What stands in the place of the id in the events of others."""
Kind = Literal["user_id", "anonymous_id"]
FIXED = ("message_id", "project", "dialect", "type", "timestamp", "sent_at", "received_at")
"""Fields that no client fills with ids of persons: one whose id is `track` must not make events of no type."""
_NAMES_OF_IDS = ("id", "ids")
_IN_WORDS = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-.@")


@attrs.frozen(kw_only=True)
class Person:
    """The person of a `project` whose `user_id` or `anonymous_id` (that is the `kind`) is `id`.

    >>> person = Person(project="shop", kind="user_id", id="u-1")
    >>> person.owns({"project": "shop", "user_id": "u-1"})
    True
    """

    project: str
    kind: Kind
    id: str
    _spellings: tuple[bytes, ...] = attrs.field(init=False, repr=False, eq=False)
    _raw_spellings: tuple[bytes, ...] = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        in_json = (orjson.dumps(self.id), json.dumps(self.id).encode())
        spellings = [each[1:-1] for each in in_json]
        object.__setattr__(self, "_spellings", tuple(dict.fromkeys(spellings)))
        percent = [quote(self.id, safe=""), quote(self.id), quote_plus(self.id)]
        escaped = [each.replace(b"/", rb"\/") for each in spellings]
        raw = [
            *(*spellings, *escaped, self.id.encode(), *[each.encode() for each in percent]),
            *[_lower(each).encode() for each in percent],
        ]
        # A JSON text inside a JSON text, as some clients send it, has its escapes escaped once more.
        raw += [orjson.dumps(each.decode())[1:-1] for each in spellings]
        object.__setattr__(self, "_raw_spellings", tuple(dict.fromkeys(raw)))

    def owns(self, event: Mapping[str, Any]) -> bool:
        """Return whether an event is this person's: it has the id where the kind says, or as `previous_id`."""
        return event.get("project") == self.project and self.id in (event.get(self.kind), event.get("previous_id"))

    def may_be_in(self, lines: bytes) -> bool:
        """Return whether lines of events hold the id's characters anywhere: a search in C, before all else."""
        return any(each in lines for each in self._spellings)

    def without_mentions(self, line: bytes) -> tuple[bytes, bool]:
        """Return somebody else's event without the id, and whether it is still part of a longer text there.

        Each text or name of a field that is the id as a whole becomes ERASED, and so does a number, where the name of
        its field ends in `id` or `ids`: other numbers are prices and widths. Everything else is what it was, numbers to
        the last digit. The line is the same object if nothing had to change.
        """
        event = json.loads(line, parse_int=_Number, parse_float=_Number)
        changes = _Changes(self.id)
        for name, value in event.items():
            if name not in FIXED:
                event[name] = changes.within(value, name)
        if changes.count:
            line = orjson.dumps(event)
        return line, self.may_be_in(line)

    def found_in(self, raw: bytes) -> bool:
        """Return whether a request as it came has the id, as a word of its own: plain, escaped or percent-encoded.

        What is escaped or percent-encoded counts as what it stands for, also in JSON within JSON. Not within base64,
        and not as a part of a longer word: `u-1` is not in `u-10`.
        """
        if any(_has_word(raw, each) for each in self._raw_spellings):
            return True
        # Any character may be escaped: some SDKs do so with those of HTML and `+`, in upper or lower case.
        plain = self.id.encode()
        return any(_has_word(view.encode("utf-8", "surrogatepass"), plain) for view in views(raw))


class _Number(str):
    """A number as its text, so that none is changed on its way through a rewrite."""

    __slots__ = ()


@attrs.define
class _Changes:
    """Replaces an id in a value, and counts where."""

    id: str
    count: int = 0

    def within(self, value: Any, field: str) -> Any:
        """Return the value of a field without the id."""
        if isinstance(value, _Number) and not field.lower().endswith(_NAMES_OF_IDS):
            return orjson.Fragment(str(value))
        if isinstance(value, str):
            if value == self.id:
                self.count += 1
                return ERASED
            return orjson.Fragment(str(value)) if isinstance(value, _Number) else value
        if isinstance(value, dict):
            return {self._name(name): self.within(each, name) for name, each in value.items()}
        if isinstance(value, list):
            return [self.within(each, field) for each in value]
        return value

    def _name(self, name: str) -> str:
        if name != self.id:
            return name
        self.count += 1
        return ERASED


def _lower(percent: str) -> str:
    """Return percent-encoded text with its hex digits in lower case, as some clients write them."""
    head, *rest = percent.split("%")
    return "%".join([head, *[each[:2].lower() + each[2:] for each in rest]])


def _places(text: bytes, what: bytes) -> Iterator[int]:
    at = text.find(what) if what else -1
    while at >= 0:
        yield at
        at = text.find(what, at + 1)


def _has_word(text: bytes, word: bytes) -> bool:
    return any(_is_word(text, at, len(word)) for at in _places(text, word))


def _is_word(text: bytes, at: int, length: int) -> bool:
    """Return whether what is at a place is a word of its own: no letter, digit, `_`, `-`, `.` or `@` beside it.

    A percent-encoded character before it ends in two hex digits, which are no letters of a word, nor are those of
    `\\u0022` or the letter of `\\n`.
    """
    end = at + length
    after = end < len(text) and text[end] in _IN_WORDS
    before = at > 0 and text[at - 1] in _IN_WORDS and not _is_escape(text, at)
    return not after and not before


def _is_escape(text: bytes, at: int) -> bool:
    return text[at - 3 : at - 2] == b"%" or text[at - 2 : at - 1] == b"\\" or text[at - 6 : at - 4] == b"\\u"
