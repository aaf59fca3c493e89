"""Whose ids the ids of items are: the client's own, or made by `parse`; and samples without them."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import attrs

from gateway.dialect import Refusal
from gateway.testing.check import require
from gateway.testing.corpus.message import SentRequest
from gateway.testing.gate import Gate
from gateway.testing.samples.places import places_of, value_at
from gateway.testing.samples.sample import Sample
from gateway.testing.samples.variants import others, without_ids
from gateway.testing.subject import Subject

OWN_IDS = (
    "take Item.message_id from a field that the client fills with a new id for each event; an item without one has None"
)
LONG = 4  # characters of a text that is not in another one by chance
MANY = 2  # places that an id may not depend on together
MOST_TRIED = 20


def are_sent(subject: Subject, gate: Gate) -> None:
    """Fail for an id that is like nothing that was sent, and is another one with another content or the next time."""
    for sample in (*subject.samples, *without_their_ids(subject, gate)):
        sent = list(_texts(sample))
        for index, item in enumerate(sample.submission.items):
            if not item.message_id or any(_is_of(text, item.message_id) for text in sent):
                continue
            again = sample.parse(sample.request)
            require(
                isinstance(again, Refusal) or again.items[index].message_id == item.message_id,
                f"{sample}: `parse` gives item {index} the message_id {item.message_id!a}, which nobody sent and which "
                "is another one the next time",
                f"{OWN_IDS}: the gateway makes one",
            )
            require(
                _others_with_another_id(sample, index) < MANY,
                f"{sample}: `parse` gives item {index} the message_id {item.message_id!a}, which nobody sent and which "
                "changes with the content",
                f"{OWN_IDS}: two equal events are two, so an id is never made of an item's content",
            )


def _others_with_another_id(sample: Sample, index: int) -> int:
    """Return in how many places of a request another text gives an item another id."""
    found = 0
    for request in islice(others(sample), MOST_TRIED):
        submission = sample.parse(request)
        if not isinstance(submission, Refusal) and len(submission.items) == len(sample.submission.items):
            found += submission.items[index].message_id != sample.submission.items[index].message_id
    return found


def without_their_ids(subject: Subject, gate: Gate) -> Iterator[Sample]:
    """Yield samples whose items have ids, without them, where that is accepted too."""
    for sample in samples_with_ids(subject):
        request = without_ids(attrs.evolve(sample, request=keyless(sample)))
        submission = sample.parse(request)
        if isinstance(submission, Refusal) or request == keyless(sample):
            continue
        if is_whole(gate, request, len(sample.submission.items)):
            case = f"{sample.case} without its ids"
            yield attrs.evolve(sample, case=case, request=request, submission=submission)


def is_whole(gate: Gate, request: SentRequest, count: int) -> bool:
    """Return whether so many events are stored of a request in an empty gateway, which then knows its ids."""
    gate.forget()
    gate.send(request)
    return len(gate.storage.bodies) == count and not gate.storage.quarantined


def samples_with_ids(subject: Subject) -> list[Sample]:
    """Return the samples whose items all have ids."""
    return [sample for sample in subject.samples if sample.has_ids]


def keyless(sample: Sample) -> SentRequest:
    """Return a sample's request without an Idempotency-Key."""
    return sample.request.with_header("Idempotency-Key", None)


def _texts(sample: Sample) -> Iterator[str]:
    """Yield what the client wrote: headers, the path, and each value of query and body."""
    request = sample.request
    yield from request.headers.values()
    yield from sample.read.variables.values()
    for place in places_of(request, leaves=True):
        value: Any = value_at(request, place)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            yield str(value)


def _is_of(text: str, message_id: str) -> bool:
    """Return whether an id is what a client wrote: a part of it, or it with something around it."""
    text, message_id = text.lower(), message_id.lower()
    return text == message_id or (len(text) >= LONG and text in message_id) or message_id in text
