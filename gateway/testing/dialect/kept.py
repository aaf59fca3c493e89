"""Checks that nothing of what is accepted is lost: all of it is in the event, in a place of its own or another."""

import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import attrs

from gateway.dialect import Refusal, Submission
from gateway.testing.check import Check, Cost, fail
from gateway.testing.corpus.message import SentRequest
from gateway.testing.samples.chosen import objects
from gateway.testing.samples.other_values import OtherValues
from gateway.testing.samples.places import value_at, with_member, with_value
from gateway.testing.samples.sample import Sample
from gateway.testing.samples.spots import Spot
from gateway.testing.subject import Subject
from gateway.testing.trial.trial import Trial, Tried
from gateway.testing.wording import event_text

CANARY = "kit canary"
NUMBER = 123456789.25
_CANARIES = (CANARY, [CANARY], NUMBER)


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks."""
    yield Check("kept/a value at any place is in the event", partial(_values, subject), Cost.GENERATED)
    yield Check("kept/another value makes another event", partial(_other_values, subject), Cost.GENERATED)
    yield Check("kept/an unknown member is in the event", partial(_unknown_members, subject))
    yield Check("kept/an unknown query parameter is in the event", partial(_unknown_parameters, subject))


def _values(subject: Subject) -> None:
    spots = _spots(subject)
    for canary in _CANARIES:
        changed = ((spot, with_value(spot.sample.request, spot.place, canary)) for spot in spots)
        tried = (
            (spot.sample, (f"{spot.sample} with {canary!r} at {spot.place}", request))
            for spot, request in changed
            if not _is_credential(spot, request)
        )
        _require_kept(subject, tried, NUMBER if canary == NUMBER else CANARY)


def _other_values(subject: Subject) -> None:
    """Fail on a place that may have some values only, and whose value the event does not depend on."""
    others = OtherValues(subject.installed, subject.corpus)
    with Trial(subject) as trial:
        for spot in _spots(subject):
            sample, old = spot.sample, value_at(spot.sample.request, spot.place)
            if _accepted(trial, sample, str(spot), with_value(sample.request, spot.place, CANARY)):
                continue  # tried as one of `_values`
            same = _same_events(trial, spot, others.of(spot))
            if same:
                fail(
                    f"{sample} with {same[0]!r} in the place of {old!r} at {spot.place} was accepted, and became the"
                    f" same event: {event_text(sample.events[0])}",
                    _remedy(subject),
                )


def _same_events(trial: Trial, spot: Spot, values: Sequence[object]) -> list[object]:
    """Return the values that are accepted at a place if none of them makes another event; none if one does."""
    sample, same = spot.sample, []
    for value in values:
        request = with_value(sample.request, spot.place, value)
        if _is_credential(spot, request) or _decides_the_kind(spot, request):
            return []
        events = _accepted(trial, sample, f"{sample} with {value!r} at {spot.place}", request)
        if events and events != _comparable(sample, sample.events):
            return []
        if events:
            same.append(value)
    return same


def _accepted(trial: Trial, sample: Sample, what: str, request: SentRequest) -> list[dict[str, Any]]:
    """Return the events of a request that is accepted whole, without ids that the gateway made; none of another."""
    trial.send(what, request)
    stored = trial.gate.storage
    if len(stored.bodies) != len(sample.events) or stored.quarantined or stored.blobs:
        return []
    return _comparable(sample, [json.loads(body) for body in stored.bodies])


def _comparable(sample: Sample, events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    items = sample.submission.items
    return [
        event if item.message_id else {**event, "message_id": None} for event, item in zip(events, items, strict=True)
    ]


def _unknown_members(subject: Subject) -> None:
    tried = (
        (
            sample,
            (f"{sample} with an unknown member in {place}", with_member(sample.request, place, "kit", CANARY_JSON)),
        )
        for sample, place in objects(subject)
    )
    _require_kept(subject, tried, CANARY)


def _unknown_parameters(subject: Subject) -> None:
    samples = [sample for sample in subject.samples if not sample.request.body]
    joined = [("&" if "?" in sample.request.target else "?") + "kit=kit+canary" for sample in samples]
    tried = (
        (sample, (f"{sample} with an unknown query parameter", _with_target(sample.request, more)))
        for sample, more in zip(samples, joined, strict=True)
    )
    _require_kept(subject, tried, CANARY)


CANARY_JSON = f'"{CANARY}"'.encode()


def _require_kept(subject: Subject, tried: Iterator[tuple[Sample, Tried]], canary: object) -> None:
    """Fail on a request that is accepted whole, and of whose events none has the canary."""
    with Trial(subject) as trial:
        for sample, (what, request) in tried:
            trial.send(what, request)
            stored = trial.gate.storage
            is_whole = len(stored.bodies) == len(sample.events) and not stored.quarantined and not stored.blobs
            if is_whole and not any(str(canary).encode() in body for body in stored.bodies):
                fail(
                    f"{what} was accepted, and the event has {canary!r} nowhere:"
                    f" {event_text(json.loads(stored.bodies[0]))}",
                    _remedy(subject),
                )


def _spots(subject: Subject) -> list[Spot]:
    """Return the places whose values an event must have."""
    secrets = subject.dialect.secret_fields
    return [spot for spot in subject.spots if not _is_beside(spot) and spot.place.path[-1] not in secrets]


def _remedy(subject: Subject) -> str:
    return (
        f"have `translate` keep it: in its canonical place, else under `context.{subject.dialect.name}`"
        " (`unknown_fields` gives what you do not know). What is secret belongs in `secret_fields`"
    )


def _is_beside(spot: Spot) -> bool:
    """Return whether a place is in the query of a request whose facts are in its body."""
    return spot.place.where == "query" and bool(spot.sample.request.body)


def _is_credential(spot: Spot, changed: SentRequest) -> bool:
    """Return whether a place is one of a credential: with another value there, the request shows others."""
    submission = spot.sample.parse(changed)
    return isinstance(submission, Refusal) or submission.credentials != spot.sample.submission.credentials


def _decides_the_kind(spot: Spot, changed: SentRequest) -> bool:
    """Return whether items are of other kinds with another value at a place: two names of one kind make one event."""
    submission = spot.sample.parse(changed)
    if isinstance(submission, Refusal) or submission.fault is not None or not submission.items:
        return False
    return _kinds(submission) != _kinds(spot.sample.submission)


def _kinds(submission: Submission) -> list[tuple[str, str]]:
    return [(item.kind, item.schema) for item in submission.items]


def _with_target(request: SentRequest, more: str) -> SentRequest:
    return attrs.evolve(request, target=request.target + more)
