"""Checks that many items take as much longer as there are more of them: what looks at all for each takes hours."""

import json
import time
from collections.abc import Iterator
from functools import partial

from gateway.dialect import MAX_ITEMS, MAX_VALUES, Accepted, Outcome, Submission, Verdict
from gateway.testing.bugs import place_of
from gateway.testing.check import Check, fail
from gateway.testing.corpus.message import SentRequest
from gateway.testing.limit import OutOfTime, cpu
from gateway.testing.samples.chosen import arrays, one_of_each_route
from gateway.testing.samples.places import Place, value_at, with_raw
from gateway.testing.samples.sample import Sample
from gateway.testing.subject import Subject

TIMES = 10
SLOWER = 40  # times that ten times the items may take: ten by themselves, a hundred where each looks at all
QUICK = 0.3  # second of CPU time, which is not too long however it came about
LONGEST = 10.0  # seconds
TRIES = 2
"""The best of so many counts: the first one makes what is made once."""


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the check."""
    yield Check("time/ten times the items take ten times as long", partial(_many, subject))


def _many(subject: Subject) -> None:
    for sample in one_of_each_route(subject):
        for place in arrays(sample):
            count = _most(subject, sample, place)
            request = _with(sample, place, count)
            try:
                with cpu(LONGEST):
                    took = _time_of(sample, request)
                    if took <= QUICK:
                        continue
                    took = min(took, *(_time_of(sample, request) for _ in range(TRIES - 1)))
                    few = _with(sample, place, count // TIMES)
                    before = min(_time_of(sample, few) for _ in range(TRIES))
            except OutOfTime as problem:
                where = place_of(problem)
                fail(f"{sample} with {count} items took more than {LONGEST:g} seconds of CPU time{where}", _ONCE)
            if took > max(QUICK, SLOWER * before):
                fail(
                    f"{sample} with {count} items took {took / before:.0f} times as long as with {count // TIMES}"
                    " to be parsed and answered",
                    _ONCE,
                )


_ONCE = "look at each item once in `parse` and `render`: whether one is known, a set tells, and a list does not"


def _most(subject: Subject, sample: Sample, place: Place) -> int:
    """Return how many items a request may have at most."""
    element = value_at(sample.request, place)[-1]
    per_value, per_byte = _values(element), len(json.dumps(element)) + 8  # its id becomes longer
    return min(MAX_ITEMS, (MAX_VALUES - 1000) // per_value, (subject.dialect.body_cap - 20_000) // per_byte)


def _values(value: object) -> int:
    if isinstance(value, dict):
        return 1 + sum(1 + _values(each) for each in value.values())
    return 1 + sum(map(_values, value)) if isinstance(value, list) else 1


def _with(sample: Sample, place: Place, count: int) -> SentRequest:
    """Return a sample's request with so many items at a place, each with an id of its own if they have ids."""
    element = json.dumps(value_at(sample.request, place)[-1])
    sent = sample.submission.items[-1].message_id
    quoted = json.dumps(sent) if sent else ""
    parts = [element.replace(quoted, f'{quoted[:-1]}-{number}"') if sent else element for number in range(count)]
    return with_raw(sample.request, place, f"[{','.join(parts)}]".encode())


def _time_of(sample: Sample, request: SentRequest) -> float:
    """Return the CPU time in which a request is parsed and answered."""
    begun = time.process_time()
    read = sample.parse(request)
    if isinstance(read, Submission):
        outcomes = tuple([Outcome(Verdict.STORED, f"m-{number}") for number in range(len(read.items))])
        sample.route.render(Accepted(sample.read, read, outcomes, sample.events[0]["project"], None))
    return time.process_time() - begun
