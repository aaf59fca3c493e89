"""Says what no case may expect, whatever a dialect does: a bug, an event that is none, a secret in an event."""

from gateway.dialect import Credential
from gateway.records.spellings import Secrets, secrets_of, unquoted
from gateway.testing.check import fail
from gateway.testing.corpus.case import Case
from gateway.testing.dialect.senders.traces import place_of
from gateway.testing.subject import Subject
from gateway.testing.ways.in_memory import Sent

BUG = 500
NOT_CANONICAL = "not_canonical"


def check_acceptable(subject: Subject, case: Case, sent: Sent) -> None:
    """Raise Failure if a case must not expect what has come of it."""
    _check_answers(case, sent)
    _check_canonical(case, sent)
    _check_secrets(subject, case, sent)


def _check_answers(case: Case, sent: Sent) -> None:
    if any(answer.status == BUG for answer in sent.outcome.answers):
        told = "".join(f": {bug}" for bug in sent.bugs[:1])
        fail(f"{case.file}: a request is answered with 500{told}", "mend the dialect first: no case expects a bug")


def _check_canonical(case: Case, sent: Sent) -> None:
    for item in sent.outcome.quarantined:
        for fault in item["faults"]:
            if fault["code"] == NOT_CANONICAL:
                place, rule = fault["pointer"] or "whole", fault.get("detail", {}).get("rule", "")
                fail(
                    f"{case.file}: an event of `translate` is kept aside as {NOT_CANONICAL}, for its {place} ({rule})",
                    "mend `translate` first: an event has the fields of docs/events.md, each with such a value",
                )


def _check_secrets(subject: Subject, case: Case, sent: Sent) -> None:
    for each in subject.corpus.credentials:
        kind = subject.installed.kinds[each.kind]
        spellings = secrets_of((Credential(kind.name, kind.normalize(each.value)),), subject.dialect)
        for event in sent.outcome.events:
            path = _path_of(spellings, event)
            if path is not None:
                fail(
                    f"{case.file}: a secret {each.kind} would be written into the events: it is in {path or 'a name'}",
                    "have `translate` leave it out first: no case expects an event with a secret",
                )


def _path_of(spellings: Secrets, event: object) -> str | None:
    def holds(text: str) -> bool:
        return spellings.occurs_in(text) or ("%" in text and spellings.occurs_in(unquoted(text)))

    return place_of(event, holds)
