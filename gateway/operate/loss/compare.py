"""What became of each place of an event on its way through another dialect. Pure.

A place is written as in docs/events.md. Members that a client named are one place: `properties.*`, `context.page.*`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from gateway.dialect.outbound.source import context_place

Steps = tuple[str, ...]
STAMPED = frozenset({"project", "dialect", "received_at"})
OPEN = ("properties", "traits")
_SCALARS = frozenset({str, int, float, bool, type(None)})
WHOLE = "(event)"
"""The place that stands for a whole event which is not sent."""


@attrs.frozen(order=True)
class Fate:
    """What became of a place: `carried`, `renamed` (to the place `to`), `changed` or `lost`; of an event: `not sent`.

    `to` says why, where something is changed, lost or not sent: a word of gateway.dialect.Lost.
    """

    what: str
    to: str = ""

    def __str__(self) -> str:
        if self.what == "renamed":
            return f"renamed to {self.to}"
        return f"{self.what} ({self.to.replace('_', ' ')})" if self.to else self.what


CARRIED = Fate("carried")
RANK = ("carried", "renamed", "changed", "lost")
"""Of what several items tell of a place the best counts."""


def fates(
    before: Mapping[str, Any], afters: Sequence[Mapping[str, Any]], lost: Mapping[str, str]
) -> list[tuple[str, Fate]]:
    """Return each place of an event, once for each of its values there, with what became of the value.

    `afters` are the events that the other dialect makes of what was emitted, one or more; `lost` is what `emit` says
    it left out, and why. A value that is no longer at its place is looked for elsewhere, where the event did not have
    it before: unless it is said to be lost. One that is not found, and not said to be lost, is lost silently: then its
    fate has no `to`.
    """
    of_each = [list(_fates(before, after, lost)) for after in afters]
    return [min(row, key=lambda each: RANK.index(each[1].what)) for row in zip(*of_each, strict=True)]


def _fates(before: Mapping[str, Any], after: Mapping[str, Any], lost: Mapping[str, str]) -> Iterator[tuple[str, Fate]]:
    old, new = dict(_leaves(before)), dict(_leaves(after))
    moved: dict[str, list[Steps]] | None = None
    for path, value in old.items():
        if path in new and same(new[path], value):
            yield place_of(path, value), CARRIED
            continue
        place = place_of(path)
        why = lost.get(place, "")
        if moved is None:
            moved = _moved(old, after)
        targets = [] if why and path[0] not in OPEN else moved.get(_text(value), [])
        if path[0] in OPEN:
            targets = [each for each in targets if each[0] in OPEN and len(each) > 1]
        if path != ("type",) and targets:
            target = max(targets, key=lambda each: (sum(step in each[-1] for step in path), -len(each)))
            yield place, Fate("renamed", _target(target, place))
        elif path == ("type",):
            yield place_of(path, value), Fate("changed", str(after["type"]))
        else:
            yield place, Fate("changed" if path in new else "lost", why)


def same(one: object, other: object) -> bool:
    """Return whether two JSON values are the same: 1, 1.0 and true are three values."""
    if type(one) is not type(other) or one != other:
        return False
    return type(one) in _SCALARS or _text(one) == _text(other)


def place_of(path: Steps, value: object = None) -> str:
    """Return the place of a path. The place of a type is that type's own: `type identify`."""
    if path[0] in OPEN:
        return f"{path[0]}.*"
    if path[0] == "context":
        return context_place(*path[1:])
    return f"type {value}" if path == ("type",) and value is not None else path[0]


def _leaves(event: Mapping[str, Any]) -> Iterator[tuple[Steps, object]]:
    for name, value in event.items():
        if name in STAMPED or value is None:
            continue
        if name in OPEN:
            yield from [((name, key), each) for key, each in value.items()]
        elif name == "context":
            yield from _of_context(value)
        else:
            yield (name,), value


def _of_context(context: Mapping[str, Any]) -> Iterator[tuple[Steps, object]]:
    for name, value in context.items():
        if isinstance(value, Mapping):
            yield from [(("context", name, key), each) for key, each in value.items()]
        else:
            yield ("context", name), value


def _moved(old: Mapping[Steps, object], after: Mapping[str, Any]) -> dict[str, list[Steps]]:
    """Return the paths of an event by their value's JSON, but for those that had the same value before."""
    found: dict[str, list[Steps]] = {}
    for path, value in _deep((), {name: value for name, value in after.items() if name not in STAMPED}):
        if value is not None and not (path in old and same(old[path], value)):
            found.setdefault(_text(value), []).append(path)
    return found


def _deep(path: Steps, value: object) -> Iterator[tuple[Steps, object]]:
    if path:
        yield path, value
    if isinstance(value, Mapping):
        for key, child in value.items():
            yield from _deep((*path, key), child)


def _target(path: Steps, place: str) -> str:
    """Return where a value went. What a client named is not told, so that there are only so many places."""
    return f"{'.'.join(path[:-1])}.*" if place.endswith(".*") else ".".join(path)


def _text(value: object) -> str:
    """Return a text that only the same value has."""
    return f"{type(value).__name__} {value}" if type(value) in _SCALARS else json.dumps(value, sort_keys=True)
