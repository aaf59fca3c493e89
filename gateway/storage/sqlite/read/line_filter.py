"""Which lines of a chunk an EventFilter asks for. Pure.

A canonical line begins with its short fields in their fixed order (see dialect/event.py), so that mostly nothing is
parsed: an expression reads the line up to the last field that is asked for. It takes no backslash in a text, so a quote
always ends one, and nothing that a client wrote can look like another field. Any other line is parsed.
"""

import json
import re
from functools import lru_cache

import orjson

from gateway.dialect.timestamps import from_millis
from gateway.storage.read import EventFilter
from gateway.storage.sqlite.log.times import received_at

_TEXT = rb'"[^"\\]*+"'
_NULL = rb"null|"
# What is before a field, and its value.
_FIELDS = {
    "project": (rb'\{"project":', _TEXT),
    "dialect": (rb',"dialect":', _TEXT),
    "type": (rb',"type":', _TEXT),
    "name": (rb',"name":', _NULL + _TEXT),
    "message_id": (rb',"message_id":', _TEXT),
    "timestamp": (rb',"timestamp":', _TEXT),
    "sent_at": (rb',"sent_at":', _NULL + _TEXT),
    "received_at": (rb',"received_at":', rb'"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"'),
    "anonymous_id": (rb',"anonymous_id":', _NULL + _TEXT),
    "user_id": (rb',"user_id":', _NULL + _TEXT),
}
_NAMES = ("project", "dialect", "type", "name", "message_id")
_PERSON = ("anonymous_id", "user_id")
_BEFORE_ALL, _AFTER_ALL = b"", b"~"


class LineFilter:
    """One EventFilter, ready for many lines."""

    def __init__(self, where: EventFilter) -> None:
        self._where = where
        named = {name: value for name in _NAMES if (value := getattr(where, name)) is not None}
        self._named = named
        self._timed = where.since is not None or where.before is not None
        asked = [*named, *(["received_at"] if self._timed else []), *(_PERSON if where.person is not None else ())]
        last = list(_FIELDS).index(asked[-1])
        pattern = b"".join(
            before + (b"(" if name in asked else b"(?:") + value + b")"
            for name, (before, value) in list(_FIELDS.items())[: last + 1]
        )
        self._match = re.compile(pattern + rb"[,}]").match
        self._texts = tuple([_json(each) for each in named.values()])
        self._person = None if where.person is None else _json(where.person)
        # All that is in a line which is asked for; the last is mostly in no other line.
        self._all = self._texts if self._person is None else (*self._texts, self._person)
        is_rare = where.message_id is not None or where.person is not None
        self._rare = self._all[-1] if is_rare else None
        # For a project alone, the beginning of a line is enough.
        self._begin = b'{"project":%b,' % self._texts[0] if asked == ["project"] else None
        self._since = _text(where.since, _BEFORE_ALL)
        self._before = _text(where.before, _AFTER_ALL)

    def __call__(self, first: int, lines: bytes) -> list[tuple[int, bytes]]:
        """Return `(position, line)` of those lines of a chunk that are asked for; `first` is the first's position."""
        if b"\\" not in lines and any(text not in lines for text in self._all):
            return []  # without an escape a text can be spelled in one way only
        split, begin = enumerate(lines.split(b"\n"), first), self._begin
        if begin is None:
            return [event for event in split if self._is_asked_for(event[1])]
        return [event for event in split if event[1].startswith(begin) or self._is_asked_for(event[1])]

    def _is_asked_for(self, line: bytes) -> bool:
        if self._rare is not None and self._rare not in line and b"\\" not in line:
            return False
        found = self._match(line)
        if found is None:
            return self._is_parsed(line)
        # Of several texts the first mostly differs, and all of them take longer to get.
        texts = self._texts
        if self._timed and not self._since <= found[len(texts) + 1] < self._before:
            return False
        if self._person is not None and self._person not in found.groups()[-len(_PERSON) :]:
            return False
        return not texts or (found[1] == texts[0] and found.groups()[: len(texts)] == texts)

    def _is_parsed(self, line: bytes) -> bool:
        """Return whether a line is asked for that is not in the canonical spelling."""
        if not line:  # of an event that was removed
            return False
        event = orjson.loads(line)
        if not isinstance(event, dict) or any(event.get(name) != value for name, value in self._named.items()):
            return False
        if self._where.person is not None and all(event.get(name) != self._where.person for name in _PERSON):
            return False
        if not self._timed:
            return True
        time, since, before = received_at(line), self._where.since, self._where.before
        return time is not None and (since is None or since <= time) and (before is None or time < before)


@lru_cache(maxsize=32)
def line_filter(where: EventFilter) -> LineFilter | None:
    """Return the filter of lines; None if all lines are asked for."""
    return None if where == EventFilter() else LineFilter(where)


def _json(text: str) -> bytes:
    """Return a text as a line has it. One of the command line may have half a character; no event has that."""
    return json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _text(millis: int | None, otherwise: bytes) -> bytes:
    """Return a time as lines have it, for a comparison of bytes."""
    if millis is None:
        return otherwise
    text = from_millis(millis)
    if text is None:  # before the year 1 or after 9999
        return _BEFORE_ALL if millis < 0 else _AFTER_ALL
    return b'"%b"' % text.encode()
