"""Counting events by their names. Bounded in memory, whatever names clients make up."""

import re

import attrs
import orjson

from gateway.storage.read import Page

MOST_NAMES = 1000
MOST_BYTES = 1 << 20
"""Of each project so many names are counted apart, and so many bytes of names; the rest are counted together."""

# A canonical line as it is stored (see dialect/event.py); it takes no backslash in a text, so that a quote ends one.
_TEXT = rb'("[^"\\]*+")'
_TEXT_OR_NULL = rb'(null|"[^"\\]*+")'
_LINE = re.compile(
    rb'\{"project":' + _TEXT + rb',"dialect":' + _TEXT + rb',"type":' + _TEXT + rb',"name":' + _TEXT_OR_NULL
    + rb',"message_id":"[^"\\]*+","timestamp":"[^"\\]*+","sent_at":(?:null|"[^"\\]*+"),"received_at":' + _TEXT
)  # fmt: skip
_FIELDS = ("project", "dialect", "type", "name", "received_at")
_NAME = _FIELDS.index("name")

Key = tuple[bytes, bytes, bytes, bytes]
"""project, dialect, type and name, as JSON."""


@attrs.frozen(kw_only=True)
class NameCount:
    """How many events of a project, dialect and type have a name, and when the newest was received.

    With `is_rest` it is all events whose names are not counted apart, and `name` is None. `newest` is RFC 3339.
    """

    project: str
    dialect: str
    type: str
    name: str | None
    events: int
    newest: str
    is_rest: bool = False


@attrs.define
class _Count:
    """How many events, and the time of the newest as JSON."""

    events: int = 0
    newest: bytes = b""

    def add(self, time: bytes) -> None:
        self.events += 1
        if time > self.newest:
            self.newest = time


@attrs.define
class _Room:
    """How many names of a project can still be counted apart, and how many bytes of them."""

    names: int
    bytes: int


class NameCounts:
    """Counts pages of the log. The names that come first are counted apart."""

    def __init__(self) -> None:
        self._apart: dict[Key, _Count] = {}
        self._rest: dict[Key, _Count] = {}
        self._rooms: dict[bytes, _Room] = {}
        self.events = 0

    def add(self, page: Page) -> None:
        """Count the events of a page."""
        for line in page.lines:
            found = _LINE.match(line)
            project, dialect, kind, name, time = found.groups() if found is not None else _parsed(line)
            key = (project, dialect, kind, name)
            (self._apart.get(key) or self._new(key)).add(time)
        self.events += len(page.positions)

    def found(self) -> list[NameCount]:
        """Return the counts: by project, dialect and type, the most frequent name first, the rest last."""
        found = [_named(key, count) for key, count in self._apart.items()]
        found += [attrs.evolve(_named(key, count), is_rest=True) for key, count in self._rest.items()]
        return sorted(
            found, key=lambda each: (each.project, each.dialect, each.type, each.is_rest, -each.events, each.name or "")
        )

    def _new(self, key: Key) -> _Count:
        """Return where a name is to be counted that is not counted apart yet."""
        room = self._rooms.setdefault(key[0], _Room(MOST_NAMES, MOST_BYTES))
        size = sum(map(len, key))
        if room.names > 0 and room.bytes >= size:
            room.names -= 1
            room.bytes -= size
            return self._apart.setdefault(key, _Count())
        return self._rest.setdefault((*key[:3], b"null"), _Count())


def _parsed(line: bytes) -> tuple[bytes, ...]:
    """Return the same fields of a line in another spelling, in the spelling of canonical ones."""
    event = orjson.loads(line)
    values = [event.get(name) for name in _FIELDS]
    return tuple([orjson.dumps("" if value is None and at != _NAME else value) for at, value in enumerate(values)])


def _named(key: Key, count: _Count) -> NameCount:
    project, dialect, kind, name, newest = [orjson.loads(each) for each in (*key, count.newest)]
    return NameCount(project=project, dialect=dialect, type=kind, name=name, events=count.events, newest=newest)
