"""Checks that a value is kept as it was sent: texts of every look, and objects that a client fills as it likes."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from gateway.dialect import Refusal
from gateway.testing.check import Check, Cost, fail
from gateway.testing.corpus.message import SentRequest
from gateway.testing.samples.places import ROOT, json_of, value_at, with_value
from gateway.testing.samples.spots import Spot
from gateway.testing.subject import Subject
from gateway.testing.trial.trial import Trial
from gateway.testing.wording import event_text

LONG = "long " * 60
TEXTS: Mapping[str, str] = {
    "a text of large and small letters": "Kit CANARY text",
    "a text between blanks": "  kit canary \t",
    "a text of 300 characters": LONG,
    "a text that is not ASCII": "Gr\u00f6\u00dfe \u6f22\u5b57 \U0001f600 e\u0301",
}
OBJECTS: Mapping[str, Mapping[str, object]] = {
    "an object of every sort of value": {
        "kitCanary Key": "Kit CANARY text",
        "kit_null": None,
        "kit_false": False,
        "kit_true": True,
        "kit_zero": 0,
        "kit_empty": "",
        "kit_int": 1234567,
        "kit_digits": "0123",
        "kit_float": 12.5,
        "kit_long": LONG,
        "kit_nested": {"Inner": {"deep": [1, None, "x"]}},
        "kit_list": [],
        "kit_object": {},
    },
    "an object of 100 members": {f"kit{number}": number for number in range(100)},
}


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks."""
    for name, text in TEXTS.items():
        yield Check(f"kept/{name} is in the event as it is", partial(_text, subject, name, text), Cost.GENERATED)
    for name, members in OBJECTS.items():
        yield Check(f"kept/{name} is in the event as it is", partial(_object, subject, name, members), Cost.GENERATED)


def _text(subject: Subject, name: str, text: str) -> None:
    with Trial(subject) as trial:
        for spot in _spots(subject):
            request = with_value(spot.sample.request, spot.place, text)
            what = f"{spot.sample} with {name} at {spot.place}"
            events = _stored(trial, spot, what, request)
            if events and not any(_has(event, text) for event in events):
                _fail(subject, f"{what} was accepted, and the event has {_shown(text)} nowhere", events)


def _object(subject: Subject, name: str, members: Mapping[str, object]) -> None:
    """Put members into each object that a body has, and an object in the place of each other value."""
    among = [(each, f"{name} among the members of {each.place}") for each in _objects(subject)]
    taken = {(id(each.sample), each.place) for each, _ in among}
    spots = [each for each in _spots(subject) if each.place.where == "body"]
    alone = [(each, f"{name} at {each.place}") for each in spots if (id(each.sample), each.place) not in taken]
    with Trial(subject) as trial:
        for spot, how in (*among, *alone):
            there = value_at(spot.sample.request, spot.place)
            value = {**there, **members} if isinstance(there, dict) else members
            what = f"{spot.sample} with {how}"
            events = _stored(trial, spot, what, with_value(spot.sample.request, spot.place, value))
            for key, member in members.items() if events else ():
                if not any(_has_member(event, key, member) for event in events):
                    lost = f"{_shown(key)}: {_shown(member)}"
                    _fail(subject, f"{what} was accepted, and the event has {lost} nowhere", events)


def _objects(subject: Subject) -> list[Spot]:
    """Return the objects of bodies, and bodies that are one, each once for a route."""
    roots = {
        sample.route.name: Spot(sample, ROOT) for sample in subject.samples if isinstance(json_of(sample.request), dict)
    }
    inner = [each for each in _spots(subject) if each.place.where == "body"]
    return [*roots.values(), *[each for each in inner if isinstance(value_at(each.sample.request, each.place), dict)]]


def _stored(trial: Trial, spot: Spot, what: str, request: SentRequest) -> list[Any]:
    """Return the events of a request that is accepted whole, with the credentials of its sample; else none."""
    submission = spot.sample.parse(request)
    if isinstance(submission, Refusal) or submission.credentials != spot.sample.submission.credentials:
        return []
    trial.send(what, request)
    stored = trial.gate.storage
    is_whole = len(stored.bodies) == len(spot.sample.events) and not stored.quarantined and not stored.blobs
    return [json.loads(body) for body in stored.bodies] if is_whole else []


def _spots(subject: Subject) -> list[Spot]:
    """Return the places of what is kept: no secret ones, and none in the query of a request that has a body."""
    secrets = subject.dialect.secret_fields
    return [
        spot
        for spot in subject.spots
        if spot.place.path[-1] not in secrets and not (spot.place.where == "query" and spot.sample.request.body)
    ]


def _fail(subject: Subject, wrong: str, events: list[Any]) -> None:
    fail(
        f"{wrong}: {event_text(events[0])}",
        "have `translate` keep it as it was sent: not cut, trimmed, in other letters or of another type. What has no"
        f" canonical place belongs under `context.{subject.dialect.name}`",
    )


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:40]}..."


def _has(tree: object, text: str) -> bool:
    """Return whether a text is in a value, alone or as a part of another text."""
    if isinstance(tree, str):
        return text in tree
    children = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return any(_has(child, text) for child in children)


def _has_member(tree: object, key: str, value: object) -> bool:
    """Return whether an object in a value has a member of just this value; true is not 1, nor 1 a text."""
    if isinstance(tree, dict):
        if key in tree and type(tree[key]) is type(value) and tree[key] == value:
            return True
        return any(_has_member(child, key, value) for child in tree.values())
    return isinstance(tree, list) and any(_has_member(child, key, value) for child in tree)
