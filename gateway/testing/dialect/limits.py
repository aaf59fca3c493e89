"""Checks of what is too much: bytes, items, values, requests. It is refused in time, and not kept in part."""

import gzip
import tracemalloc
from collections.abc import Iterator
from functools import partial

import attrs

from gateway.config import LimitSettings
from gateway.dialect import MAX_ITEMS, MAX_VALUES, Reason, Refusal, Submission, decode
from gateway.testing.check import Check, fail, require
from gateway.testing.corpus.message import Answer, SentRequest
from gateway.testing.gate import Gate
from gateway.testing.samples.chosen import arrays, one_of_each_route
from gateway.testing.samples.places import ROOT, json_of, with_member, with_raw
from gateway.testing.samples.sample import Sample
from gateway.testing.samples.variants import fresh, with_body
from gateway.testing.subject import Subject
from gateway.testing.trial.trial import Trial
from gateway.testing.wording import answer_text

MANY = 2 * MAX_ITEMS  # elements of an array: fewer than MAX_VALUES, so that only `parse` can refuse them
ROOM = 60  # bytes that `parse` may take for each element beyond what decoding takes; an Item has more than a hundred


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks."""
    yield Check("limits/a body over body_cap is too large", partial(_body_cap, subject))
    yield Check("limits/a body that inflates beyond body_cap is too large", partial(_bomb, subject))
    yield Check("limits/a gzipped body is read as a plain one", partial(_gzip, subject))
    yield Check("limits/an unknown Content-Encoding is refused", partial(_encoding, subject))
    yield Check("limits/too many items are refused before they are made", partial(_items, subject))
    yield Check("limits/too many values are refused before they are decoded", partial(_values, subject))
    yield Check("limits/a request over the rate limit is told when to try again", partial(_rate, subject))


def _body_cap(subject: Subject) -> None:
    cap = subject.dialect.body_cap
    for sample in _with_bodies(subject):
        body = sample.request.body + b" " * (cap + 1 - len(sample.request.body))
        _require_refused(
            subject, sample, with_body(sample.request, body), f"a body of {cap + 1} bytes", Reason.TOO_LARGE
        )


def _bomb(subject: Subject) -> None:
    bomb = gzip.compress(b" " * (subject.dialect.body_cap + 1), 1)
    for sample in _with_bodies(subject):
        request = with_body(sample.request, bomb).with_header("Content-Encoding", "gzip")
        _require_refused(subject, sample, request, "a gzipped body that inflates beyond body_cap", Reason.TOO_LARGE)


def _gzip(subject: Subject) -> None:
    for sample in _with_bodies(subject):
        packed = with_body(sample.request, gzip.compress(sample.request.body)).with_header("Content-Encoding", "gzip")
        [(_, plain), (answer, stored)] = [_sent(subject, sample, request) for request in (sample.request, packed)]
        require(
            stored == plain,
            f"{sample} with its body gzipped was answered {answer_text(answer)}, and was stored otherwise",
            "read `request.body`, which is inflated, and no header that says how it was sent",
        )


def _encoding(subject: Subject) -> None:
    for sample in _with_bodies(subject):
        request = sample.request.with_header("Content-Encoding", "kit")
        _require_refused(subject, sample, request, "Content-Encoding: kit", Reason.ENCODING)


def _items(subject: Subject) -> None:
    for sample in one_of_each_route(subject):
        for place in arrays(sample):
            request = with_raw(sample.request, place, b"[" + b",".join([b"{}"] * MANY) + b"]")
            what = f"{sample} with {MANY} elements at {place}"
            peak, read = _measured(sample, request)
            if isinstance(read, Submission) and read.fault is None and len(read.items) > MAX_ITEMS:
                fail(f"{what} was read into {len(read.items)} items, and MAX_ITEMS is {MAX_ITEMS}", _BOUNDED)
            tracemalloc.start()
            decode(request.body)
            plain = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            if peak > plain + ROOM * MANY:
                fail(f"{what} took {peak >> 20} MiB to be refused, and {plain >> 20} MiB to be decoded", _BOUNDED)
            answer, stored = _sent(subject, sample, request)
            require(
                not stored,
                f"{what} was answered {answer.status}, and {len(stored)} of its items were stored",
                "refuse the whole request: a client sends what it got an error for again",
            )


_BOUNDED = (
    "call `bounded(elements)` in `parse` before you make Items: this is read before anybody has shown a credential"
)


def _measured(sample: Sample, request: SentRequest) -> tuple[int, Submission | Refusal]:
    """Return how many bytes of memory `parse` took at most, and what it returned."""
    tracemalloc.start()
    try:
        read = sample.parse(request)
        return tracemalloc.get_traced_memory()[1], read
    finally:
        tracemalloc.stop()


def _values(subject: Subject) -> None:
    many = b"[" + b"0," * MAX_VALUES + b"0]"
    for sample in one_of_each_route(subject):
        if json_of(sample.request) is None:
            continue
        is_object = isinstance(json_of(sample.request), dict)
        request = with_member(sample.request, ROOT, "kit", many) if is_object else with_body(sample.request, many)
        read = sample.parse(request)
        require(
            isinstance(read, Refusal) and read.reason is Reason.TOO_LARGE,
            f"`parse` reads {sample} with more than MAX_VALUES ({MAX_VALUES}) values in its body",
            "decode it with `json_or_fault` or `decode`, which refuse such a body before it takes memory",
        )


def _rate(subject: Subject) -> None:
    limit = LimitSettings(requests=1, seconds=60)
    for sample in one_of_each_route(subject):
        gate = Gate.of(subject.dialect, subject.corpus.credentials, limit=limit)
        first, second = gate.send(sample.request, fresh(sample, 1))
        what = f"{sample}, sent twice where one request a minute is allowed,"
        require(
            first.status < 400 and len(gate.storage.bodies) == len(sample.events),
            f"{what} was answered {first.status} the first time",
            "have `render` answer as it does without a limit: `accepted.quota` is then set",
        )
        wait = second.header("Retry-After") or ""
        require(
            second.status >= 400 and wait.isdecimal(),
            f"{what} was answered {second.status} the second time, with Retry-After: {wait or None}",
            "have `refuse` answer Reason.LIMITED with 429, or what your vendor sends; the gateway adds Retry-After"
            " (yours has whole seconds)",
        )


def _require_refused(subject: Subject, sample: Sample, request: SentRequest, what: str, reason: Reason) -> None:
    """Fail unless a request is answered as `refuse` answers a reason, and nothing of it is stored."""
    answer, stored = _sent(subject, sample, request)
    refuse = sample.route.refuse or subject.dialect.refuse
    limit = {"limit": subject.dialect.body_cap} if reason is Reason.TOO_LARGE else {"encoding": "kit"}
    read = attrs.evolve(request, body=b"").read(sample.read.path, sample.read.variables)
    expected = refuse(read, Refusal(reason, detail=limit))
    require(
        (answer.status, answer.body) == (expected.status, expected.body or b"") and answer.status >= 400 and not stored,
        f"{sample} with {what} was answered {answer_text(answer)}",
        f"have `refuse` answer Reason.{reason.name} with {reason.status}, or with what your vendor sends",
    )


def _sent(subject: Subject, sample: Sample, request: SentRequest) -> tuple[Answer, list[bytes]]:
    with Trial(subject) as trial:
        answer = trial.send(str(sample), request)
        return answer, trial.gate.storage.bodies


def _with_bodies(subject: Subject) -> list[Sample]:
    return [sample for sample in one_of_each_route(subject) if sample.request.body]
