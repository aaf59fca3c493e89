"""Checks of the Idempotency-Key: a retry gets the first answer, and nothing is stored twice."""

from collections.abc import Callable, Iterator
from functools import partial

from gateway.dialect import Reason, Refusal
from gateway.testing.check import Check, require
from gateway.testing.corpus.message import NOW, SentRequest
from gateway.testing.dialect.sending import require_refused, sent_twice, with_gate
from gateway.testing.gate import Gate
from gateway.testing.samples.sample import Sample
from gateway.testing.samples.variants import others, with_body, with_idempotency_key
from gateway.testing.subject import Subject
from gateway.testing.wording import answer_text

KEY = "a-key-of-the-kit"
MALFORMED = ("", " ", "k" * 256, "k\u00e9y", "k\x7f")
SAME = "make the answer in `render` of the outcomes alone, without a clock or chance: a retry gets the first answer"
MOST_TRIED = 20
MINUTE = 60_000


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks of keys."""
    promises: dict[str, Callable[[Subject, Gate], None]] = {
        "a retry gets the first answer": _replayed,
        "a retry at another time gets the first answer": _replayed_later,
        "other content under the same key is a conflict": _conflict,
        "a malformed key is refused": _malformed,
        "an error is not remembered": _error_is_forgotten,
    }
    for name, run in promises.items():
        yield Check(f"idempotency/{name}", partial(with_gate, run, subject))


def _replayed(subject: Subject, gate: Gate) -> None:
    for sample in subject.samples:
        first, second, stored = sent_twice(gate, with_idempotency_key(sample.request, KEY))
        require(
            stored == len(sample.submission.items),
            f"{sample}, sent twice with one Idempotency-Key, became {stored} events",
            "have `parse` make the same items of the same request",
        )
        require(
            (second.status, second.body) == (first.status, first.body),
            f"{sample} with an Idempotency-Key was answered {answer_text(first)}, and once more {answer_text(second)}",
            SAME,
        )
        require(
            second.header("Idempotency-Replayed") == "true",
            f"{sample}, sent once more with its Idempotency-Key, was answered without Idempotency-Replayed: true",
            "do not set that header in `render`: the gateway does",
        )


def _replayed_later(subject: Subject, _gate: Gate) -> None:
    """Send each request once more when a minute has gone: with a key, and with its client's ids alone."""
    now = [NOW]
    gate = Gate.of(subject.dialect, subject.corpus.credentials, clock=lambda: now[0])
    for sample in subject.samples:
        ways = [("with an Idempotency-Key", with_idempotency_key(sample.request, KEY))]
        if sample.has_ids:
            ways.append(("with its ids", sample.request.with_header("Idempotency-Key", None)))
        for how, request in ways:
            gate.forget()
            [first] = gate.send(request)
            now[0] += MINUTE
            [second] = gate.send(request)
            require(
                (second.status, second.body) == (first.status, first.body),
                f"{sample} {how} was answered {answer_text(first)}, and a minute later {answer_text(second)}",
                f"{SAME}, and a DUPLICATE is answered like what was STORED",
            )


def _conflict(subject: Subject, gate: Gate) -> None:
    for sample in subject.samples:
        other = next((each for each in _other_content(sample) if _is_stored(gate, each)), None)
        if other is None:
            continue
        gate.forget()
        _, answer = gate.send(*[with_idempotency_key(each, KEY) for each in (sample.request, other)])
        found = [each.refusal.reason for each in gate.rejections.pending]
        require(
            found == [Reason.CONFLICT] and len(gate.storage.bodies) == len(sample.submission.items),
            f"{sample}, with one text changed and the same Idempotency-Key, was answered {answer.status}, and not "
            "refused as idempotency_conflict",
            "`parse` may return as credentials only what is one: they are left out when contents are compared",
        )


def _malformed(subject: Subject, gate: Gate) -> None:
    for sample in subject.samples:
        for key in MALFORMED:
            how = f"with the Idempotency-Key {key!a}" if len(key) < 20 else "with an Idempotency-Key of 256 characters"
            require_refused(
                gate,
                sample,
                with_idempotency_key(sample.request, key),
                how,
                frozenset({Reason.IDEMPOTENCY_KEY}),
                "leave the header Idempotency-Key to the gateway",
            )


def _error_is_forgotten(subject: Subject, gate: Gate) -> None:
    for sample in subject.samples:
        if not sample.request.body:
            continue
        good = with_idempotency_key(sample.request, KEY)
        gate.forget()
        gate.send(with_body(good, good.body[:-1]))
        if not gate.rejections.pending:
            continue
        [answer] = gate.send(good)
        require(
            len(gate.storage.bodies) == len(sample.submission.items),
            f"{sample}, sent with an Idempotency-Key whose first request had a body cut short, was answered "
            f"{answer.status} and not stored",
            "a body that cannot be read is a Submission with `fault`, or a Refusal",
        )


def _is_stored(gate: Gate, request: SentRequest) -> bool:
    gate.forget()
    gate.send(request)
    return bool(gate.storage.bodies) and not gate.storage.quarantined


def _other_content(sample: Sample) -> Iterator[SentRequest]:
    for _, request in zip(range(MOST_TRIED), others(sample), strict=False):
        submission = sample.parse(request)
        if not isinstance(submission, Refusal) and submission.credentials == sample.submission.credentials:
            yield request
