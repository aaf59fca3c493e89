"""Checks that `translate` survives whatever meets the schema of its item, members that no case has included."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import attrs

from gateway.dialect import Event, EventWithFiles, Fault, Item, Received
from gateway.dialect.event import stamped
from gateway.dialect.flaws import flaws
from gateway.testing.bugs import REMEDIES, fail_in
from gateway.testing.check import Check, fail
from gateway.testing.samples.sample import Sample
from gateway.testing.subject import Subject
from gateway.testing.trial.canonical import fail_as_uncanonical

Path = tuple[str | int, ...]
DEEPEST = 16
"""How far a schema is followed, its references and branches counted: some refer to themselves."""
VALUES: tuple[object, ...] = (
    None,
    True,
    0,
    -1.5,
    10**30,
    "",
    "x",
    "cut \ud83d",
    "2024-13-45T99:99:99Z",
    "http://[:99999999/",
    [],
    [None, {"a": 1}],
    {},
    {"a": [{"b": None}]},
)
RECEIVED_AT = "2026-01-02T03:04:05.678Z"
_BRANCHES = ("allOf", "anyOf", "oneOf")
_BRANCH = ("if", "then", "else", "not")


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the check."""
    yield Check("payloads/whatever meets its schema is translated", partial(_translated, subject))


def _translated(subject: Subject) -> None:
    for sample, item in _items(subject):
        schema = subject.installed.schemas[item.schema]
        members: dict[Path, list[object]] = {}
        for path, constants in _members(schema.document, schema.document, ()):
            members.setdefault(path, []).extend(constants)
        for path, constants in members.items():
            for value in (*VALUES, *constants):
                payload = _with(item.payload, path, value)
                if schema.is_valid(payload):
                    _require_event(subject, sample, attrs.evolve(item, payload=payload), path, value)


def _require_event(subject: Subject, sample: Sample, item: Item, path: Path, value: object) -> None:
    where = "/" + "/".join(str(step) for step in path)
    what = f"an item of route {sample.route.name} with {value!a} at {where}, which meets the schema {item.schema},"
    received = Received(sample.events[0]["project"], None, RECEIVED_AT, "203.0.113.7", sample.submission.context)
    try:
        found: object = sample.route.translate(item, "kit-1", received)
    except Exception as problem:
        fail_in("translate", what[:-1], problem)
    event = found.event if isinstance(found, EventWithFiles) else found
    if isinstance(event, Fault):
        return
    if not isinstance(event, Event):
        fail(f"`translate` makes {type(event).__name__} of {what} and not an Event or a Fault", REMEDIES["translate"])
    fields = stamped(event, received.project, subject.dialect.name, "kit-1", RECEIVED_AT)
    if not flaws(item.payload) and not subject.installed.canonical.is_valid(fields):
        [fault] = subject.installed.canonical.explain(fields, 1)
        fail_as_uncanonical(what.rstrip(","), fault.pointer, fault.code, subject.dialect.name)


def _items(subject: Subject) -> list[tuple[Sample, Item]]:
    """Return an item of each schema, of each route."""
    found: dict[tuple[str, str], tuple[Sample, Item]] = {}
    for sample in subject.samples:
        for item in sample.submission.items:
            found.setdefault((sample.route.name, item.schema), (sample, item))
    return list(found.values())


def _members(schema: Any, root: Mapping[str, Any], path: Path, depth: int = 0) -> Iterator[tuple[Path, list[object]]]:
    """Yield the members that a schema speaks of, each with the constants that it may be."""
    if not isinstance(schema, Mapping) or depth > DEEPEST:
        return
    if path:
        yield path, [*schema.get("enum", ()), *([schema["const"]] if "const" in schema else [])]
    for name, inner in schema.get("properties", {}).items():
        yield from _members(inner, root, (*path, name), depth + 1)
    if "items" in schema:
        yield from _members(schema["items"], root, (*path, 0), depth + 1)
    branches = [inner for key in _BRANCHES for inner in schema.get(key, ())]
    branches += [schema[key] for key in _BRANCH if key in schema]
    if schema.get("$ref", "").startswith("#/"):
        branches.append(_at(root, schema["$ref"]))
    for inner in branches:
        yield from _members(inner, root, path, depth + 1)


def _at(root: Mapping[str, Any], reference: str) -> Any:
    found: Any = root
    for step in reference.removeprefix("#/").split("/"):
        found = found.get(step.replace("~1", "/").replace("~0", "~"), {})
    return found


def _with(payload: object, path: Path, value: object) -> object:
    """Return a payload with another value at a path; what is missing on the way is made."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        elements = payload if isinstance(payload, list) else [None]
        return [_with(elements[0] if elements else None, rest, value), *elements[1:]]
    members = payload if isinstance(payload, dict) else {}
    return {**members, step: _with(members.get(step), rest, value)}
