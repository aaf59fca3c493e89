"""The credentials that a sample shows: which of the corpus they are, and the same request with another value. Pure."""

import base64
import binascii
from collections.abc import Callable, Iterator
from functools import partial

from gateway.dialect import Credential, CredentialKind, Refusal
from gateway.testing.corpus.case import CorpusCredential
from gateway.testing.corpus.message import SentRequest
from gateway.testing.samples.paths import other_paths, with_path
from gateway.testing.samples.places import places_of, value_at, with_value
from gateway.testing.samples.sample import Sample
from gateway.testing.subject import Subject

TOKEN, UUID = "0f1e2d3c" * 6, "0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0"


def value_of(kind: CredentialKind) -> str:
    """Return a value as the gateway makes them for a kind, always the same one."""
    return kind.template.replace("{token}", TOKEN).replace("{uuid}", UUID)


def known_as(subject: Subject, credential: Credential) -> CorpusCredential | None:
    """Return the entry of the corpus that a credential is; None for one that nobody knows."""
    normalize = subject.installed.kinds[credential.kind].normalize
    same_kind = [each for each in subject.corpus.credentials if each.kind == credential.kind]
    return next((each for each in same_kind if normalize(each.value) == credential.value), None)


def known(subject: Subject) -> Iterator[tuple[Sample, Credential, CorpusCredential]]:
    """Yield each credential that a sample shows and the corpus knows, with its sample and its entry."""
    for sample in subject.samples:
        for credential in sample.submission.credentials:
            entry = known_as(subject, credential)
            if entry is not None:
                yield sample, credential, entry


def with_text(subject: Subject, sample: Sample, credential: Credential, value: str) -> SentRequest | None:
    """Return a sample's request with another text in the place of a credential's value; None if it is not there.

    It is changed where `parse` reads it, or everywhere if no change in one place alone makes a difference.
    """
    everywhere = None
    for everywhere in _changed(subject, sample, credential, value):
        submission = sample.parse(everywhere)
        if isinstance(submission, Refusal) or credential not in submission.credentials:
            return everywhere
    return everywhere


def with_credential(subject: Subject, sample: Sample, credential: Credential, value: str) -> SentRequest | None:
    """Return a sample's request with another value in the place of a credential; None if `parse` does not find it.

    It is found in headers, in Basic too, in the query, the path and the JSON of the body.
    """
    normal = subject.installed.kinds[credential.kind].normalize(value)
    for request in _changed(subject, sample, credential, value):
        submission = sample.parse(request)
        if isinstance(submission, Refusal):
            continue
        found = {each.value for each in submission.credentials if each.kind == credential.kind}
        if normal in found and credential.value not in found:
            return request
    return None


def _changed(subject: Subject, sample: Sample, credential: Credential, value: str) -> Iterator[SentRequest]:
    """Yield requests with another text in one place after the other that has the value, then in all of them."""
    entry, request = known_as(subject, credential), sample.request
    for old in dict.fromkeys((credential.value, credential.value if entry is None else entry.value)):
        if not old:
            continue
        change = partial(_swapped, old, value)
        everywhere = request
        for name, text in request.headers.items():
            if (changed := _in_header(text, change)) != text:
                yield request.with_header(name, changed)
                everywhere = everywhere.with_header(name, changed)
        for place in places_of(request, leaves=True):
            text = value_at(request, place)
            if isinstance(text, str) and old in text:
                yield with_value(request, place, change(text))
                everywhere = with_value(everywhere, place, change(text))
        for path in other_paths(request, change):
            changed_path = with_path(request, path)
            if sample.is_reached_by(changed_path):
                yield changed_path
                everywhere = with_path(everywhere, path)
        if everywhere != request:
            yield everywhere


def _swapped(old: str, new: str, text: str) -> str:
    return text.replace(old, new)


def _in_header(text: str, change: Callable[[str], str]) -> str:
    if text[:6].lower() == "basic ":
        try:
            plain = base64.b64decode(text[6:].strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            return change(text)
        if change(plain) != plain:
            return f"{text[:6]}{base64.b64encode(change(plain).encode()).decode()}"
    return change(text)
