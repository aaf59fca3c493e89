"""Checks of `render`: whatever became of a request's items is answered, and with no error where all is kept."""

from collections.abc import Iterator
from functools import partial

import attrs

from gateway.dialect import Accepted, OnInvalid, Outcome, Quota, Response, Route, Submission, Verdict
from gateway.testing.bugs import fail_in
from gateway.testing.check import Check, fail, require
from gateway.testing.samples.chosen import arrays
from gateway.testing.samples.places import with_raw
from gateway.testing.samples.sample import Sample
from gateway.testing.subject import Subject
from gateway.testing.trial import facts
from gateway.testing.trial.wellformed import REMEDY, flaw_of
from gateway.testing.wording import answer_text


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks."""
    yield Check("outcomes/every mix of outcomes has an answer", partial(_rendered, subject))
    yield Check("outcomes/a rejected item is answered otherwise than a stored one", partial(_told_apart, subject))


def _rendered(subject: Subject) -> None:
    for sample in subject.samples:
        for submission in (sample.submission, *_empty(sample)):
            for outcomes in _mixes(sample.route, len(submission.items)):
                for quota in (None, facts.QUOTA):
                    _require_rendered(sample, submission, outcomes, quota)


def _told_apart(subject: Subject) -> None:
    """Fail if a client cannot see that an item was rejected: that item is stored nowhere, and never sent again."""
    for sample in subject.samples:
        if sample.route.on_invalid is not OnInvalid.REJECT_ITEM:
            continue
        count = len(sample.submission.items)
        stored = tuple([Outcome(Verdict.STORED, f"m-{number}") for number in range(count)])
        first = attrs.evolve(stored[0], verdict=Verdict.REJECTED, faults=facts.FAULTS[:1])
        expected = _answer(sample, sample.submission, stored, None)
        for outcomes in ((first, *stored[1:]), tuple([attrs.evolve(first, message_id=f"m-{n}") for n in range(count)])):
            require(
                _answer(sample, sample.submission, outcomes, None) != expected,
                f"{_what(sample, outcomes)} was answered {answer_text(expected)}, as if all were stored: the client"
                " takes it for stored, and it is lost",
                "have `render` name the items whose `outcome.verdict is Verdict.REJECTED`, as the vendor does; or let"
                " Route.on_invalid be OnInvalid.QUARANTINE, which keeps them",
            )


def _require_rendered(
    sample: Sample, submission: Submission, outcomes: tuple[Outcome, ...], quota: Quota | None
) -> None:
    response = _answer(sample, submission, outcomes, quota)
    what = _what(sample, outcomes)
    flaw = flaw_of(response)
    if flaw is not None:
        fail(f"{what} was answered with {flaw}", REMEDY)
    if all(outcome.verdict is not Verdict.REJECTED for outcome in outcomes):
        require(
            response.status < 400,
            f"{what} was answered {response.status}, although everything is kept: a client would send it again",
            "have `render` answer 2xx unless an item is REJECTED",
        )


def _answer(sample: Sample, submission: Submission, outcomes: tuple[Outcome, ...], quota: Quota | None) -> Response:
    project = sample.events[0]["project"]
    accepted = Accepted(sample.read, submission, outcomes, project, quota)
    try:
        return sample.route.render(accepted)
    except Exception as problem:
        fail_in("render", _what(sample, outcomes), problem)


def _what(sample: Sample, outcomes: tuple[Outcome, ...]) -> str:
    verdicts = ", ".join(outcome.verdict.value for outcome in outcomes[:5]) or "no items"
    return f"{sample}, with the outcomes: {verdicts}"


def _mixes(route: Route, count: int) -> Iterator[tuple[Outcome, ...]]:
    """Yield outcomes of so many items: all of one verdict, then one of each in turn."""
    kinds = [
        (Verdict.STORED, ()),
        (Verdict.DUPLICATE, ()),
        (Verdict.FILTERED, ()),
        *((Verdict.QUARANTINED, (fault,)) for fault in facts.FAULTS),
    ]
    if route.on_invalid is OnInvalid.REJECT_ITEM:
        kinds += [(Verdict.REJECTED, ()), *((Verdict.REJECTED, (fault,)) for fault in facts.FAULTS)]
    if count < 1:
        yield ()
        return
    for first in range(len(kinds)):
        yield tuple([Outcome(kinds[first][0], f"m-{number}", kinds[first][1]) for number in range(count)])
        if count > 1:
            turns = [kinds[(first + number) % len(kinds)] for number in range(count)]
            yield tuple([Outcome(verdict, f"m-{number}", faults) for number, (verdict, faults) in enumerate(turns)])


def _empty(sample: Sample) -> Iterator[Submission]:
    """Yield what is read of a sample's request without items, where that is accepted."""
    for place in arrays(sample):
        submission = sample.parse(with_raw(sample.request, place, b"[]"))
        if isinstance(submission, Submission) and not submission.items and submission.fault is None:
            yield submission
