"""Checks that an item is stored once for each id that its client gave it."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

import attrs

from gateway.dialect import Refusal
from gateway.testing.check import Check, require
from gateway.testing.corpus.message import SentRequest
from gateway.testing.dialect.once.own_ids import (
    MOST_TRIED,
    OWN_IDS,
    are_sent,
    is_whole,
    keyless,
    samples_with_ids,
    without_their_ids,
)
from gateway.testing.dialect.sending import sent_twice, with_gate
from gateway.testing.gate import Gate
from gateway.testing.samples.sample import Sample
from gateway.testing.samples.variants import fresh, others, with_ids
from gateway.testing.subject import Subject
from gateway.testing.wording import with_the_body

LONG_ID = 300  # characters of an id that some would cut


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks of ids."""
    promises: dict[str, Callable[[Subject, Gate], None]] = {
        "an item that comes twice is stored once": _twice_is_once,
        "an id is the client's own": are_sent,
        "other ids are other items": _fresh_is_new,
        "ids that differ in the case of a letter are two": _case_is_kept,
        "ids that differ in a blank at an end are two": _blanks_are_kept,
        "ids that differ in the last of 300 characters are two": _length_is_kept,
        "an id with other content is the same item": _other_content_is_once,
        "equal items without ids are two": _without_ids_twice_is_two,
    }
    for name, run in promises.items():
        yield Check(f"ids/{name}", partial(with_gate, run, subject))


def _twice_is_once(subject: Subject, gate: Gate) -> None:
    for sample in samples_with_ids(subject):
        first, second, stored = sent_twice(gate, keyless(sample))
        count = len(sample.submission.items)
        require(
            stored == count,
            f"{sample}, sent twice, became {stored} events, not {count}: its items have ids",
            "have `parse` give the same Item.message_id and Item.kind for the same request",
        )
        require(
            second.status // 100 == first.status // 100,
            f"{sample} was answered {first.status}, and the same once more {second.status}",
            "answer a Verdict of DUPLICATE in `render` like STORED: the client has done all that it can",
        )


def _fresh_is_new(subject: Subject, gate: Gate) -> None:
    for sample in samples_with_ids(subject):
        _require_two(gate, sample, keyless(sample), _fresh(sample, 1), "with other ids")


def _case_is_kept(subject: Subject, gate: Gate) -> None:
    for sample in samples_with_ids(subject):
        _require_two(gate, sample, _fresh(sample, "Kit"), _fresh(sample, "kit"), "with the case of a letter changed")


def _blanks_are_kept(subject: Subject, gate: Gate) -> None:
    for sample in samples_with_ids(subject):
        for what, change in (("before", " {}"), ("behind", "{} ")):
            one, other = keyless(sample), _changed(sample, change)
            _require_two(gate, sample, one, other, f"with a blank {what} its ids")


def _length_is_kept(subject: Subject, gate: Gate) -> None:
    for sample in samples_with_ids(subject):
        one, other = [_changed(sample, "{}" + "x" * LONG_ID + last) for last in "ab"]
        _require_two(gate, sample, one, other, f"with ids of more than {LONG_ID} characters that differ in the last")


def _other_content_is_once(subject: Subject, gate: Gate) -> None:
    """Send a request, and the same ids with one text changed: a client that retries may have changed what is beside."""
    for sample in samples_with_ids(subject):
        ids = [item.message_id for item in sample.submission.items]
        for request in islice(others(attrs.evolve(sample, request=keyless(sample))), MOST_TRIED):
            submission = sample.parse(request)
            if isinstance(submission, Refusal) or submission.credentials != sample.submission.credentials:
                continue
            if [item.message_id for item in submission.items] != ids or not is_whole(gate, request, len(ids)):
                continue
            gate.send(keyless(sample))
            stored, count = len(gate.storage.bodies), len(set(ids))
            require(
                stored == count,
                f"{sample}, sent once more {with_the_body(request.body)}, became {stored} events, not {count}: "
                "its ids are the same",
                "give an Item a `kind` that is the same whatever its content is: an id is known only within its kind",
            )


def _require_two(gate: Gate, sample: Sample, one: SentRequest, other: SentRequest, what: str) -> None:
    """Require that two requests are stored, if both are accepted whole."""
    gate.forget()
    gate.send(one, other)
    if one == other or gate.rejections.pending or gate.storage.quarantined:
        return  # its ids stand in no place of their own, or may not be so long
    stored, count = len(gate.storage.bodies), 2 * len(sample.submission.items)
    require(
        stored == count,
        f"{sample}, sent once more {what}, became {stored} events, not {count}",
        f"{OWN_IDS}, and its whole value as it was sent",
    )


def _fresh(sample: Sample, suffix: int | str) -> SentRequest:
    return fresh(attrs.evolve(sample, request=keyless(sample)), suffix)


def _without_ids_twice_is_two(subject: Subject, gate: Gate) -> None:
    without = [each for each in subject.samples if not any(item.message_id for item in each.submission.items)]
    for sample in (*without, *without_their_ids(subject, gate)):
        _, _, stored = sent_twice(gate, keyless(sample))
        count = 2 * len(sample.submission.items)
        require(
            stored == count, f"{sample}, sent twice, was stored {stored} times of {count}, and it has no ids", OWN_IDS
        )


def _changed(sample: Sample, form: str) -> SentRequest:
    return with_ids(attrs.evolve(sample, request=keyless(sample)), lambda value: form.format(value))
