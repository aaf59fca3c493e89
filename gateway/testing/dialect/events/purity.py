"""Checks that `parse` and `translate` are pure: the same gives the same, and nothing that is given is changed."""

import copy
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import attrs

from gateway.testing.check import Check, require
from gateway.testing.samples.readings import event_of, events, items, readings, received
from gateway.testing.subject import Subject

COPIED = "copy before you change: {**fields, ...} makes another object"
ALONE = "make the event of the item and of Received alone, without chance or an object of the module that is changed"


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks of purity."""
    yield Check("purity/parse gives the same again, and changes nothing", partial(_parse, subject))
    yield Check("purity/translate changes nothing that it is given", partial(_translate_keeps, subject))
    yield Check("purity/translate gives the same again, whatever came before", partial(_translate_again, subject))
    yield Check("purity/translate reads no clock", partial(_no_clock, subject))


def _parse(subject: Subject) -> None:
    for sample in subject.samples:
        request = sample.request.read(sample.read.path, sample.read.variables)
        before = copy.deepcopy(request)
        first, second = sample.route.parse(request), sample.route.parse(request)
        place = difference(request, before)
        require(place is None, f"{sample}: `parse` changes {place} of its Request", COPIED)
        place = difference(first, second)
        require(
            place is None,
            f"{sample}: `parse` of the same Request gives another {place} the second time",
            "make the Submission of the Request alone, without a clock, chance, or an object of the module that is "
            "changed",
        )


def _translate_keeps(subject: Subject) -> None:
    for reading in readings(subject.installed, subject.corpus):
        told = received(subject.installed, reading)
        for index, item in items(subject.installed, reading):
            before, told_before = copy.deepcopy(item), copy.deepcopy(told)
            event_of(reading.route, item, told)
            place = difference(item, before)
            require(place is None, f"{reading.title}: `translate` changes {place} of item {index}", COPIED)
            place = difference(told, told_before)
            require(
                place is None,
                f"{reading.title}: `translate` changes {place} of Received, which all items of a request share",
                COPIED,
            )


def _translate_again(subject: Subject) -> None:
    """Translate everything again, the other way round: an event may not depend on what came before it."""
    samples = subject.samples  # with their events as they are now, before all else is translated
    for reading in readings(subject.installed, subject.corpus):
        told = received(subject.installed, reading)
        for index, item in items(subject.installed, reading):
            first, second = [event_of(reading.route, item, told) for _ in range(2)]
            place = difference(first, second)
            require(place is None, f"{reading.title}: `translate` gives another {place} of event {index} again", ALONE)
    gate = subject.emptied_gate()
    for sample in reversed(samples):
        gate.forget()
        gate.send(sample.request)
        for index, (first_line, body) in enumerate(zip(sample.events, gate.storage.bodies, strict=False)):
            line = {**json.loads(body), "message_id": first_line["message_id"]}
            place = difference(first_line, line)
            require(
                place is None,
                f"{sample}: `translate` gives another {place} of event {index} once other requests have come",
                ALONE,
            )


def _no_clock(subject: Subject) -> None:
    """Look for today's date in events of requests that arrive on another day."""
    now = datetime.now(UTC)
    for reading in readings(subject.installed, subject.corpus):
        arrived = received(subject.installed, reading).received_at[:10]
        today = {(now + timedelta(days=days)).date().isoformat() for days in (-1, 0, 1)} - {arrived}
        sent = repr((reading.request.body, reading.request.query, reading.request.headers))
        for index, _, event in events(subject.installed, reading):
            for name in ("timestamp", "sent_at"):
                day = str(getattr(event, name))[:10]
                require(
                    day not in today or day in sent,
                    f"{reading.title}: {name} of event {index} is of today, and the request arrived on {arrived}",
                    "take Received.received_at for a time that the client did not send",
                )


def difference(one: Any, other: Any, path: str = "") -> str | None:
    """Return the path to where two values differ first; None if they are equal."""
    if type(one) is type(other) and attrs.has(type(one)):
        names = [field.name for field in attrs.fields(type(one))]
        return _first(((name, getattr(one, name), getattr(other, name)) for name in names), path)
    if isinstance(one, Mapping) and isinstance(other, Mapping) and one.keys() == other.keys():
        return _first(((name, one[name], other[name]) for name in one), path)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        return _first(((str(index), *pair) for index, pair in enumerate(zip(one, other, strict=True))), path)
    return None if one == other else (path or "value")


def _first(pairs: Iterator[tuple[str, Any, Any]], path: str) -> str | None:
    for name, one, other in pairs:
        found = difference(one, other, f"{path}.{name}" if path else name)
        if found is not None:
            return found
    return None
