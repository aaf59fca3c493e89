"""What of a group must not be stored, because its person was erased. Pure; only projects with erasures pay for it.

An event of an erased person is held back if its `timestamp` is before the erasure, or if its message id is that of an
event that was erased: a late retry, a replay, an import of old files. What the person does after the erasure is stored
as ever. So is what others do, also under the message id of an erased event: such an id is unique in its scope only.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import attrs
import orjson

from gateway.dialect.timestamps import from_millis
from gateway.storage.contract import Entry, QuarantinedItem
from gateway.storage.erasing.hashes import message_hash, person_hash
from gateway.storage.plan import HeldBack

MILLISECOND = len("2024-03-01T00:00:00.000")
"""Characters up to the millisecond of a canonical time, which all have: as texts they are in the order of time."""


@attrs.frozen
class Guard:
    """The erasures of a store: for each project that has some, when each person (a hash) was erased (milliseconds)."""

    secret: bytes = b""
    erasures: Mapping[str, Mapping[bytes, int]] = attrs.field(factory=dict)

    def look(self, entries: Sequence[Entry]) -> "Look | None":
        """Return what must be known of a group's entries; None, at once, if no project of theirs has erasures."""
        erasures = self.erasures
        if not erasures:
            return None
        concerned = [entry for entry in entries if entry.project in erasures]
        if not concerned:
            return None
        rows: set[bytes] = set()
        by_hash: dict[bytes, list[bytes]] = {}
        items: dict[bytes, tuple[str, str, str]] = {}
        for entry in concerned:
            for row in entry.rows:
                event = orjson.loads(row.body)
                erased_at = self._erased_at(entry.project, event)
                if erased_at is None:
                    continue
                if str(event.get("timestamp"))[:MILLISECOND] < str(from_millis(erased_at))[:MILLISECOND]:
                    rows.add(row.body)
                    continue
                hashed = message_hash(self.secret, entry.project, entry.dialect, str(event.get("message_id")))
                by_hash.setdefault(hashed, []).append(row.body)
            for item in entry.quarantined:
                name = item_name(entry, item)
                items[message_hash(self.secret, *name)] = name
        return Look(rows, by_hash, items)

    def _erased_at(self, project: str, event: Mapping[str, object]) -> int | None:
        """Return when one of an event's persons was erased last; None if none ever was."""
        erased = self.erasures[project]
        hashes = [person_hash(self.secret, project, kind, identifier) for kind, identifier in persons(event)]
        return max([erased[each] for each in hashes if each in erased], default=None)


@attrs.frozen
class Look:
    """What was found in a group, and what to ask for: `hashes` of messages that may be among the erased ones."""

    _rows: set[bytes]
    _by_hash: Mapping[bytes, Sequence[bytes]]
    _items: Mapping[bytes, tuple[str, str, str]]

    @property
    def hashes(self) -> list[bytes]:
        """Hashes of message ids, to be looked up among those of erased events."""
        return [*self._by_hash, *self._items]

    def held_back(self, erased: Collection[bytes]) -> HeldBack:
        """Return what must not be stored, given which of `hashes` are those of erased messages."""
        rows = self._rows.union(*[self._by_hash.get(each, ()) for each in erased])
        return HeldBack(frozenset(rows), frozenset(self._items[each] for each in erased if each in self._items))


def persons(event: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    """Return the kind and the id of each person that an event may be of: `previous_id` counts as either kind."""
    found: list[tuple[str, str]] = []
    for field, kinds in (
        ("user_id", ("user_id",)),
        ("anonymous_id", ("anonymous_id",)),
        ("previous_id", ("user_id", "anonymous_id")),
    ):
        value = event.get(field)
        if isinstance(value, str):
            found += [(kind, value) for kind in kinds]
    return found


def item_name(entry: Entry, item: QuarantinedItem) -> tuple[str, str, str]:
    """Return what an item is known by: its project, its dialect and its message id."""
    return entry.project, entry.dialect, item.message_id
