"""Checks of where credentials are shown: in each place that is declared, in no other, and letter by letter."""

import json
from collections.abc import Callable, Iterator
from functools import partial

import attrs

from gateway.dialect import Credential, CredentialPlace, Refusal
from gateway.testing.check import Check, require
from gateway.testing.corpus.message import SentRequest
from gateway.testing.dialect.senders.credentials import CLIENTS_FAULT
from gateway.testing.dialect.sending import require_refused
from gateway.testing.samples.places import Place, json_of, with_raw
from gateway.testing.samples.sample import Sample
from gateway.testing.samples.shown import known, with_text
from gateway.testing.samples.variants import without_credentials
from gateway.testing.subject import Subject

NAMES = ("key", "api_key", "apiKey", "apikey", "token", "access_token", "auth", "write_key", "writeKey")
HEADERS = ("authorization", "x-api-key", "api-key", "x-auth-token", "x-access-token", "x-write-key", "x-key", "x-token")


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks of where credentials are."""
    promises: dict[str, Callable[[Subject], None]] = {
        "a secret in other letters is another one": _case_matters,
        "each declared place is read": _declared,
        "a secret is read in no other place": _undeclared,
    }
    for name, run in promises.items():
        yield Check(f"credentials/{name}", partial(run, subject))


def _case_matters(subject: Subject) -> None:
    """Swap the letters of secrets. Where `normalize` changes them, a credential of the corpus has to show it."""
    gate = subject.emptied_gate()
    shown = {credential.kind for _, credential, entry in known(subject) if _is_respelled(entry.value, credential.value)}
    for sample, credential, entry in known(subject):
        swapped = entry.value.swapcase()
        is_secret = not subject.installed.kinds[credential.kind].public
        if (
            not is_secret
            or credential.kind in shown
            or swapped == entry.value
            or len(sample.submission.credentials) > 1
        ):
            continue
        request = with_text(subject, sample, credential, swapped)
        if request is not None:
            how = f"with the large letters of its {credential.kind} as small ones, and the small as large ones,"
            remedy = (
                "compare a secret letter by letter: neither `parse` nor CredentialKind.normalize may change them. Where"
                " the vendor takes both, write the value into _credentials.json and a case as `normalize` does not"
            )
            require_refused(gate, sample, request, how, CLIENTS_FAULT, remedy)


def _is_respelled(written: str, normal: str) -> bool:
    return written != normal and written.lower() == normal.lower()


def _declared(subject: Subject) -> None:
    for sample, credential, value, bare in _movable(subject):
        for place in _places(subject, sample, credential):
            request = _with(bare, place, value)
            require(
                request is None or _is_found(sample, request, credential),
                f"{sample} with its {credential.kind} in {_named(place)} alone: `parse` does not find it",
                "CredentialKind.places (or Description.credentials) names it: read it in `parse`, or take it out",
            )


def _undeclared(subject: Subject) -> None:
    for sample, credential, value, bare in _movable(subject):
        places = _places(subject, sample, credential)
        if subject.installed.kinds[credential.kind].public or not places:
            continue
        taken = {(each.where, each.name.lower()) for each in places}
        for place in _usual(subject.dialect.name, credential.kind):
            request = None if (place.where, place.name.lower()) in taken else _with(bare, place, value)
            require(
                request is None or not _is_found(sample, request, credential),
                f"{sample} with its {credential.kind} in {_named(place)} alone: `parse` finds it there",
                "name the place in CredentialKind.places (or Description.credentials): the OpenAPI document and"
                " a preflight are made of them. Or do not read it there, as the vendor does not",
            )


def _movable(subject: Subject) -> Iterator[tuple[Sample, Credential, str, SentRequest]]:
    """Yield each sample that shows one credential, with its value as it is known, and its request without it."""
    for sample, credential, entry in known(subject):
        if len(sample.submission.credentials) == 1:
            bare = without_credentials(sample)
            if bare is not None:
                yield sample, credential, entry.value, bare


def _places(subject: Subject, sample: Sample, credential: Credential) -> tuple[CredentialPlace, ...]:
    description = sample.route.description
    of_route = None if description is None else description.credentials
    kind = subject.installed.kinds[credential.kind]
    return kind.places if of_route is None else of_route.get(kind.name, ())


def _usual(dialect: str, kind: str) -> Iterator[CredentialPlace]:
    """Yield places where some clients put a key."""
    for name in dict.fromkeys((*NAMES, kind)):
        yield CredentialPlace("query", name)
        yield CredentialPlace("body", name)
    own = (f"x-{dialect}-key", f"x-{dialect}-api-key", f"x-{dialect}-token", f"x-{kind.replace('_', '-')}")
    for name in dict.fromkeys((*HEADERS, *own)):
        yield CredentialPlace("header", name, "Bearer" if name == "authorization" else None)


def _with(request: SentRequest, place: CredentialPlace, value: str) -> SentRequest | None:
    """Return a request that shows a value in a place; None if it has no such place."""
    if place.where == "header":
        return request.with_header(place.name, f"{place.scheme} {value}" if place.scheme else value)
    if place.where == "query":
        return with_raw(request, Place("query", (place.name,)), value.encode())
    body = json_of(request)
    holder = body[0] if isinstance(body, list) and body else body
    if not isinstance(holder, dict):
        return None
    changed = {**holder, place.name: value}
    return attrs.evolve(request, body=json.dumps([changed, *body[1:]] if isinstance(body, list) else changed).encode())


def _is_found(sample: Sample, request: SentRequest, credential: Credential) -> bool:
    submission = sample.parse(request)
    return not isinstance(submission, Refusal) and credential.value in [
        each.value for each in submission.credentials if each.kind == credential.kind
    ]


def _named(place: CredentialPlace) -> str:
    where = {"header": "the header", "query": "the query parameter", "body": "the body's field"}[place.where]
    return f"{where} {place.name}" + (f" behind {place.scheme}" if place.scheme else "")
