"""Checks that only the credentials of a request open a project: without a good one nothing of it is stored."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import attrs

from gateway.dialect import MAX_CREDENTIAL, Reason
from gateway.testing.check import Check, require
from gateway.testing.corpus.message import SentRequest
from gateway.testing.dialect.sending import require_refused
from gateway.testing.gate import Gate
from gateway.testing.samples.paths import shows_a_credential
from gateway.testing.samples.sample import Sample
from gateway.testing.samples.shown import known, known_as, value_of, with_text
from gateway.testing.samples.variants import without_credentials
from gateway.testing.subject import Subject

STRANGER = "https://stranger.example"
PROJECT = "a-project-of-the-kit"
NOT_FOUND_BY_PARSE = frozenset({Reason.NO_CREDENTIAL})
NOT_KNOWN = frozenset({Reason.UNKNOWN_CREDENTIAL, Reason.NO_CREDENTIAL})
"""An optional credential that is unknown counts as not sent."""
NOT_VALID = NOT_KNOWN | {Reason.REVOKED_CREDENTIAL}
CLIENTS_FAULT = frozenset(Reason) - {Reason.INTERNAL, Reason.UNAVAILABLE}
WHOLE = "return the whole value from `parse`: cut to a length, many values would open one project"
ONLY_SHOWN = "return from `parse` only credentials that the request shows, each under its kind and as it was sent"


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks of who is admitted."""
    promises: dict[str, Callable[[Subject], None]] = {
        "a longer value is another one": _longer_is_another,
        "without one nothing is stored": _without,
        "an unknown one is refused": _unknown,
        "a revoked one is refused": _revoked,
        "a key without the scope of the route is refused": _without_scope,
        "a page of another origin is refused": _wrong_origin,
        "a refusal names no project": _names_no_project,
    }
    for name, run in promises.items():
        yield Check(f"credentials/{name}", partial(run, subject))


def _longer_is_another(subject: Subject) -> None:
    gate = subject.emptied_gate()
    for sample, credential, entry in known(subject):
        if len(sample.submission.credentials) > 1:
            continue
        for more in ("x", "x" * MAX_CREDENTIAL):
            request = with_text(subject, sample, credential, f"{entry.value}{more}")
            if request is not None:
                how = f"with {len(more)} more characters behind its {credential.kind}"
                require_refused(gate, sample, request, how, CLIENTS_FAULT, WHOLE)


def _without(subject: Subject) -> None:
    gate = subject.emptied_gate()
    for sample in subject.samples:
        request = without_credentials(sample)
        if request is None:
            require(
                shows_a_credential(sample),
                f"{sample}: whatever is left out of it, `parse` finds a credential",
                ONLY_SHOWN,
            )
            continue
        if sample.route.site_by_origin:
            request = request.with_header("Origin", None)
        reasons = NOT_FOUND_BY_PARSE
        if sample.route.body_first:
            reasons |= {Reason.BODY, Reason.INVALID}
        require_refused(gate, sample, request, "without its credentials", reasons, ONLY_SHOWN)


def _unknown(subject: Subject) -> None:
    gate = subject.emptied_gate()
    for sample in _with_credentials(subject):
        request: SentRequest | None = sample.request
        for credential in sample.submission.credentials:
            value = f"{value_of(subject.installed.kinds[credential.kind])}0"
            if request is not None and known_as(subject, credential):
                request = with_text(subject, attrs.evolve(sample, request=request), credential, value)
        if request is not None:  # else one is encoded in a way that is not known here
            require_refused(gate, sample, request, "with credentials that nobody knows", NOT_KNOWN, ONLY_SHOWN)


def _revoked(subject: Subject) -> None:
    gate = subject.emptied_gate()
    for sample in _with_credentials(subject):
        _change(gate, subject, sample, revoked=True)
        require_refused(gate, sample, sample.request, "with revoked credentials", NOT_VALID, ONLY_SHOWN)


def _without_scope(subject: Subject) -> None:
    gate = subject.emptied_gate()
    for sample in subject.samples:
        keys = [each for each in sample.submission.credentials if not subject.installed.kinds[each.kind].public]
        if sample.route.scope is not None and any(known_as(subject, each) for each in keys):
            _change(gate, subject, sample, scopes=())
            how = f"with a key without the scope {sample.route.scope}"
            require_refused(gate, sample, sample.request, how, frozenset({Reason.MISSING_SCOPE}), ONLY_SHOWN)


def _wrong_origin(subject: Subject) -> None:
    gate = subject.emptied_gate()
    for sample in _with_credentials(subject):
        _change(gate, subject, sample, origins=("site.example",))
        request = sample.request.with_header("Origin", STRANGER)
        how = f"with the Origin {STRANGER}, which its credentials do not allow,"
        require_refused(gate, sample, request, how, frozenset({Reason.ORIGIN}), ONLY_SHOWN)


def _names_no_project(subject: Subject) -> None:
    """Refuse what names a credential of a project: the refusal then says to `refuse` whose it is."""
    theirs = [attrs.evolve(each, project=PROJECT, revoked=True) for each in subject.corpus.credentials]
    fenced = [attrs.evolve(each, revoked=False, origins=("site.example",)) for each in theirs]
    gate = subject.emptied_gate()
    for credentials in (theirs, fenced):
        gate.know(subject.dialect, credentials)
        for sample in _with_credentials(subject):
            [answer] = gate.send(sample.request.with_header("Origin", STRANGER))
            said = answer.body + repr(dict(answer.headers)).encode()
            require(
                PROJECT.encode() not in said or gate.storage.bodies,
                f"{sample}, sent by a stranger, was answered {answer.status} with the name of the project in it",
                "leave `refusal.project`, `.site` and `.credential_id` out of what `refuse` answers: they are for the "
                "gateway's records",
            )
            gate.forget()


def _with_credentials(subject: Subject) -> list[Sample]:
    return [sample for sample in subject.samples if sample.submission.credentials]


def _change(gate: Gate, subject: Subject, sample: Sample, **changes: Any) -> None:
    """Change the credentials of a sample, and no others, in what a gateway knows."""
    shown = [known_as(subject, each) for each in sample.submission.credentials]
    gate.know(
        subject.dialect,
        [attrs.evolve(each, **changes) if each in shown else each for each in subject.corpus.credentials],
    )
