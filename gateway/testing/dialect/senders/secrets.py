"""Checks that the value of a secret credential stays nowhere: not in an event, nor in what is kept aside or logged."""

import base64
from collections.abc import Iterator, Mapping
from functools import partial

import attrs

from gateway.dialect import Credential
from gateway.records.spellings import Secrets, secrets_of
from gateway.testing.check import Check, fail
from gateway.testing.corpus.message import SentRequest
from gateway.testing.dialect.senders.traces import Kept, kept, place_in, said
from gateway.testing.gate import Gate
from gateway.testing.logged import logged
from gateway.testing.samples.places import places_of, value_at, with_value
from gateway.testing.samples.sample import Sample
from gateway.testing.samples.shown import known, value_of, with_credential
from gateway.testing.samples.variants import with_body
from gateway.testing.subject import Subject

PART = 12
"""Characters of a secret that are too many to be anywhere."""
MOST_SPOILED = 8
"""At how many places a request is spoiled."""
REMEDIES: Mapping[str, str] = {
    "event": "leave it out of what `translate` returns, and of the unknown fields that are kept",
    "quarantine": "name its field, header or variable of the path in Dialect.secret_fields",
    "rejection": "name its field, header or variable of the path in Dialect.secret_fields: then it is hidden where"
    " `parse` does not find it",
    "answer": "repeat nothing in `render` and `refuse` that was sent as a credential",
    "log": "log nothing in a dialect, and raise no exception whose text has what was sent",
}


def checks(subject: Subject) -> Iterator[Check]:
    """Yield a check for each way in which a request may be good or bad."""
    yield Check("secrets/none is kept of an accepted request", partial(_of_accepted, subject))
    yield Check("secrets/none is kept of a request whose key is unknown", partial(_of_strangers, subject))
    yield Check("secrets/none is kept of a request with a bad body", partial(_of_spoiled, subject))
    yield Check("secrets/none is kept of a request with another method", partial(_of_another_method, subject))


def _of_accepted(subject: Subject) -> None:
    gate = subject.emptied_gate()
    for sample, credential, request in _secret(subject, gate):
        _try(subject, gate, sample, credential, request, "")


def _of_strangers(subject: Subject) -> None:
    gate = subject.emptied_gate()
    for sample, credential, request in _secret(subject, gate):
        gate.know(subject.dialect, ())
        _try(subject, gate, sample, credential, request, ", whose credentials nobody knows")
        cut = with_body(request, request.body[:-1])
        _try(subject, gate, sample, credential, cut, ", whose credentials nobody knows, with a body that is cut short")


def _of_spoiled(subject: Subject) -> None:
    gate = subject.emptied_gate()
    for sample, credential, request in _secret(subject, gate):
        _try(subject, gate, sample, credential, with_body(request, request.body[:-1]), " with a body that is cut short")
        for place in places_of(request, leaves=True)[:MOST_SPOILED]:
            spoiled = with_value(request, place, [value_at(request, place)])
            _try(subject, gate, sample, credential, spoiled, f" with a list around {place}")


def _of_another_method(subject: Subject) -> None:
    """Send what no `parse` sees: only names can tell that something in it is a secret."""
    gate = subject.emptied_gate()
    for sample, credential, request in _secret(subject, gate):
        changed = attrs.evolve(request, method="PATCH")
        _try(subject, gate, sample, credential, changed, " with the method PATCH")


def _secret(subject: Subject, gate: Gate) -> Iterator[tuple[Sample, Credential, SentRequest]]:
    """Yield each sample that shows a secret, with a value that is in no other text, which the gateway then knows."""
    for sample, credential, entry in known(subject):
        kind = subject.installed.kinds[credential.kind]
        if kind.public:
            continue
        value = value_of(kind)
        request = with_credential(subject, sample, credential, value)
        if request is None:
            value, request = entry.value, sample.request
        gate.know(subject.dialect, [*subject.corpus.credentials, attrs.evolve(entry, value=value)])
        yield sample, Credential(kind.name, kind.normalize(value)), request


def _try(subject: Subject, gate: Gate, sample: Sample, secret: Credential, request: SentRequest, how: str) -> None:
    """Send a request, and look for a secret in all that is kept and said of it."""
    gate.forget()
    with logged() as log:
        [answer] = gate.send(request)
    spellings = secrets_of((secret,), subject.dialect)
    for sort, place, text in kept(gate):
        if sort == "event" and not spellings.occurs_in(text) and _has_part(secret.value, text):
            fail(f"{sample}{how}: a part of its {secret.kind}, or its base64, is in {place}", REMEDIES[sort])
    for found in (*kept(gate), *said(answer), *[("log", "a line of the log", line) for line in log.lines]):
        if spellings.occurs_in(found[2]):
            _tell(sample, secret, how, found, spellings)


def _has_part(secret: str, text: str) -> bool:
    """Return whether a part of a secret is in a text, as it is or in base64, wherever it begins there."""
    raw = secret.encode("utf-8", "surrogateescape")
    encoded = [base64.b64encode(b"-" * shift + raw).decode()[4:-4] for shift in range(3)]
    return any(each[at : at + PART] in text for each in (secret, *encoded) for at in range(len(each) - PART + 1))


def _tell(sample: Sample, secret: Credential, how: str, found: Kept, spellings: Secrets) -> None:
    sort, place, text = found
    path = place_in(text, spellings.occurs_in)
    where = place if not path else f"{path} of {place}"
    fail(f"{sample}{how}: its {secret.kind} is in {where}", REMEDIES[sort])
