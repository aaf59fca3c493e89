"""What was held or rejected, grouped by what is wrong with it: the values that readers give. Pure, and no engine here.

A quarantine may have a million items, and most of what clients get wrong is the same mistake. Only the newest are
grouped: what is looked at is bounded, and the answer says whether that was everything.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import attrs

from gateway.dialect.value_class import value_class

GROUPED_REJECTIONS = 25_000
"""How many of the newest rejected requests are grouped: so many of projects' own clients, and so many of all others."""
GROUPED_ITEMS = 20_000
"""How many of the newest quarantined items are grouped."""
MOST_GROUPS = 200
"""How many groups are given: those with the most in them. Clients choose origins and the names of fields."""
SCANNED, SCANNED_HELD = 25_000, 10_000
"""How many rejected requests, and how many requests of quarantined items, are read in search of one page."""
PAGE = 50
MAX_CODE, MAX_POINTER = 80, 200
"""Characters of a fault that tell its group: they stand in the address of the group's page."""
_INDEX = re.compile(r"/[0-9]+(?=/|$)")


def text(value: str | None) -> str | None:
    """Return a text that somebody asks for as a store can be asked: with no half of a surrogate pair."""
    return None if value is None else value.encode("utf-8", "replace").decode()


@attrs.frozen(kw_only=True)
class RejectedFilter:
    """Which rejected requests are asked for: those that meet each condition that is not None.

    An empty text asks for requests without one: an unknown project, no known credential, no Origin.
    """

    reason: str | None = attrs.field(default=None, converter=text)
    project: str | None = attrs.field(default=None, converter=text)
    credential_id: str | None = attrs.field(default=None, converter=text)
    origin: str | None = attrs.field(default=None, converter=text)
    dialect: str | None = attrs.field(default=None, converter=text)


EVERY_REJECTION = RejectedFilter()


@attrs.frozen(kw_only=True)
class RejectedGroup:
    """Rejected requests that have so much in common. `newest` is in milliseconds, `example` the id of the newest."""

    reason: str
    project: str | None
    credential_id: str | None
    origin: str | None
    dialect: str
    count: int
    newest: int
    example: int


@attrs.frozen(kw_only=True)
class QuarantineFilter:
    """Which quarantined items are asked for: those that meet each condition that is not None.

    `code` and `pointer` are those of the group, see `fault_group`.
    """

    project: str | None = attrs.field(default=None, converter=text)
    dialect: str | None = attrs.field(default=None, converter=text)
    route: str | None = attrs.field(default=None, converter=text)
    verdict: str | None = attrs.field(default=None, converter=text)
    code: str | None = attrs.field(default=None, converter=text)
    pointer: str | None = attrs.field(default=None, converter=text)

    def asks_for(self, project: str, dialect: str, route: str) -> bool:
        """Return whether items of such a request are asked for, as far as that can be said of a request."""
        asked = zip((self.project, self.dialect, self.route), (project, dialect, route), strict=True)
        return all(wanted in (None, found) for wanted, found in asked)

    def asks_for_item(self, verdict: str, fault: tuple[str, str]) -> bool:
        """Return whether an item of a request that is asked for is asked for itself."""
        asked = zip((self.verdict, self.code, self.pointer), (verdict, *fault), strict=True)
        return all(wanted in (None, found) for wanted, found in asked)


EVERY_ITEM = QuarantineFilter()


@attrs.frozen(kw_only=True)
class QuarantineGroup:
    """Quarantined items with the same first fault, of one route, project and verdict.

    `oldest` and `newest` are times of receipt in milliseconds, `example` is the id of the newest item.
    """

    project: str
    dialect: str
    route: str
    verdict: str
    code: str
    pointer: str
    count: int
    oldest: int
    newest: int
    example: int


@value_class
class QuarantineGroups:
    """The groups with the most items first. `counted` items are in them and in the `left_out` groups beside them.

    Without `complete` there are older items that nobody has looked at.
    """

    groups: Sequence[QuarantineGroup]
    counted: int
    left_out: int
    complete: bool


@value_class
class Listed:
    """Some rows, newest first. The next page asks for what is `before` this id; None if that was all.

    A page may have few rows or none, and still not be the last: what is not asked for is read, too.
    """

    rows: Sequence[dict[str, Any]]
    before: int | None


@lru_cache(maxsize=128)
def fault_group(faults: str) -> tuple[str, str]:
    """Return code and pointer of the first of an item's faults, which is a JSON list, cut to what tells a group.

    Indexes of lists are written as `*`. Without a fault that can be read both are empty.

        fault_group('[{"code": "type", "pointer": "/products/3/price", "detail": {}}]') == ("type", "/products/*/price")
    """
    try:
        first = json.loads(faults)[0]
        code, pointer = str(text(str(first["code"]))), str(text(str(first.get("pointer", ""))))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return "", ""
    return code[:MAX_CODE], _INDEX.sub("/*", pointer[:MAX_POINTER])


@attrs.define
class _Counts:
    """What a group has so far. Mutable: it is added to for each request."""

    count: int
    oldest: int
    newest: int
    example: int


@attrs.define
class Grouping:
    """Puts quarantined items into groups, as they are read: the newest first."""

    where: QuarantineFilter
    counted: int = attrs.field(default=0, init=False)
    _groups: dict[tuple[str, ...], _Counts] = attrs.field(factory=dict, init=False)
    _faults: dict[tuple[str, str], tuple[str, str] | None] = attrs.field(factory=dict, init=False)

    def add(
        self,
        request: tuple[str, str, str],
        received_at: int,
        kinds: Mapping[tuple[str, str], tuple[int, int]],
    ) -> None:
        """Add what one request holds. `request` is its project, dialect and route.

        `kinds` has for each verdict and JSON list of faults the number of items, and the highest id of one.
        """
        for kind, (count, example) in kinds.items():
            if kind not in self._faults:
                fault = fault_group(kind[1])
                self._faults[kind] = fault if self.where.asks_for_item(kind[0], fault) else None
            asked = self._faults[kind]
            if asked is None:
                continue
            self.counted += count
            name = (*request, kind[0], *asked)
            known = self._groups.get(name)
            if known is None:
                self._groups[name] = _Counts(count, received_at, received_at, example)
                continue
            known.count += count
            known.oldest = min(known.oldest, received_at)
            known.newest = max(known.newest, received_at)
            known.example = max(known.example, example)

    def found(self, *, complete: bool) -> QuarantineGroups:
        """Return the groups so far."""
        largest = sorted(self._groups.items(), key=lambda each: (-each[1].count, -each[1].example))
        groups = [
            QuarantineGroup(
                project=project,
                dialect=dialect,
                route=route,
                verdict=verdict,
                code=code,
                pointer=pointer,
                count=found.count,
                oldest=found.oldest,
                newest=found.newest,
                example=found.example,
            )
            for (project, dialect, route, verdict, code, pointer), found in largest[:MOST_GROUPS]
        ]
        return QuarantineGroups(groups, self.counted, max(0, len(largest) - MOST_GROUPS), complete)


def merged(halves: Iterable[RejectedGroup]) -> list[RejectedGroup]:
    """Return groups of both kinds of rejected requests, each once, those with the most requests first."""
    groups: dict[tuple[str | None, ...], RejectedGroup] = {}
    for each in halves:
        name = (each.reason, each.project, each.credential_id, each.origin, each.dialect)
        other = groups.get(name)
        if other is not None:
            newer = max(each, other, key=lambda group: group.example)
            each = attrs.evolve(newer, count=each.count + other.count, newest=max(each.newest, other.newest))
        groups[name] = each
    return sorted(groups.values(), key=lambda each: (-each.count, -each.example))
