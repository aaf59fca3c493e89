"""Checks of the kinds of credentials: a value that the gateway makes opens a project, and any text can be spelled."""

from collections.abc import Iterator
from functools import partial

import attrs

from gateway.dialect import CredentialKind
from gateway.testing.check import Check, fail, require
from gateway.testing.samples.shown import known, value_of, with_credential, with_text
from gateway.testing.subject import Subject

PROJECT = "a-project-of-the-kit"


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks of the kinds of credentials."""
    yield Check("kinds/each has a case that is accepted", partial(_every_kind_is_accepted, subject))
    yield Check("kinds/a value that the gateway makes opens its project", partial(_templates_open, subject))
    for kind in subject.dialect.kinds:
        yield Check(f"kinds/normalize of {kind.name} takes any text", partial(_normalize, kind))


def _every_kind_is_accepted(subject: Subject) -> None:
    shown = {credential.kind for sample in subject.samples for credential in sample.submission.credentials}
    missing = [kind.name for kind in subject.dialect.kinds if kind.name not in shown]
    require(
        not missing,
        f"no case of {subject.corpus.folder} is accepted with a credential of the kind {', '.join(missing)}",
        "add one for each, and a value to _credentials.json; or take the kind out of Dialect.kinds",
    )


def _templates_open(subject: Subject) -> None:
    gate = subject.emptied_gate()
    for sample, credential, entry in known(subject):
        kind = subject.installed.kinds[credential.kind]
        value = value_of(kind)
        if with_text(subject, sample, credential, value) is None:  # encoded in a way that is not known here
            continue
        request = with_credential(subject, sample, credential, value)
        if request is None:
            fail(
                f"{sample} with {value} in the place of its {kind.name}: `parse` does not find it",
                f"`gateway keys add` makes such values of the template {kind.template!r}: take them in `parse`, or "
                "give CredentialKind.template the form that `parse` takes",
            )
        submission = sample.submission
        is_alone = len(submission.credentials) == 1 and all(item.site is None for item in submission.items)
        made = attrs.evolve(entry, value=value, project=PROJECT if is_alone else entry.project)
        gate.know(subject.dialect, [made, *[each for each in subject.corpus.credentials if each is not entry]])
        gate.forget()
        [answer] = gate.send(request)
        booked = sorted({each.project for each in gate.storage.entries})
        require(
            booked == [made.project],
            f"{sample} with {value}, a {kind.name} that the gateway has made for the project {made.project}, was "
            f"answered {answer.status} and booked to {', '.join(booked) or 'nobody'}",
            "return from `parse` only credentials that the request shows: all of them must be of one project",
        )


def _normalize(kind: CredentialKind) -> None:
    """Try a kind's `normalize` on values as they are made, and on what anybody may send in their place."""
    value = value_of(kind)
    odd = ("", " ", "a b", ":", "=", "%41", "é", "\U0001f600", "\udcff", "\0", "Bearer", "Basic =", "{}", "a" * 10_000)
    for text in (value, value.upper(), f" {value} ", f"Bearer {value}", f"Basic {value}", f"{value}:", *odd):
        shown = ascii(text if len(text) < 200 else text[:20] + "...")
        try:
            once = kind.normalize(text)
            twice = kind.normalize(once)
        except Exception as error:
            fail(
                f"`normalize` of the kind {kind.name} raises {error!r} for {shown}",
                "return any other text as it is: it is unknown, in whatever spelling",
            )
        require(
            isinstance(once, str) and once == twice,
            f"`normalize` of the kind {kind.name} makes {once!a} of {shown}, and {twice!a} of that",
            "have it return what stays as it is when it is normalized again: values are kept and looked up so",
        )
