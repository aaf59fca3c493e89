"""Checks of what is printed at the first start: the line for the SDK, and the command that sends an event."""

from collections.abc import Iterator
from functools import partial

from gateway.testing.check import Check, fail, require
from gateway.testing.corpus.case import CorpusCredential
from gateway.testing.samples.curl import request_of
from gateway.testing.samples.shown import value_of
from gateway.testing.subject import Subject
from gateway.testing.wording import answer_text

URL = "http://gateway.example"


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks."""
    yield Check("hello/the line for the SDK names the gateway", partial(_setting, subject))
    yield Check("hello/the curl command sends an event that is stored", partial(_curl, subject))


def _setting(subject: Subject) -> None:
    require(
        "{url}" in subject.dialect.setting,
        f"Dialect.setting is {subject.dialect.setting!a}, without {{url}}: whoever copies it sends to another server",
        "write {url} where the vendor's SDK takes the address of its server",
    )


def _curl(subject: Subject) -> None:
    dialect, kind = subject.dialect, subject.dialect.kinds[0]
    value = value_of(kind)
    command = dialect.curl.replace("{url}", URL).replace("{value}", value)
    remedy = f"write a command in Dialect.curl that sends one event with {{value}}, of the kind {kind.name}, to {{url}}"
    try:
        request = request_of(command, URL)
    except ValueError as error:
        fail(f"the command {command} cannot be read: {error}", remedy)
    gate = subject.emptied_gate()
    gate.know(dialect, [CorpusCredential(kind.name, value)])
    [answer] = gate.send(request)
    kept = f"; {len(gate.storage.bodies)} events of it were stored, {len(gate.storage.quarantined)} quarantined"
    require(
        gate.storage.bodies and not gate.storage.quarantined and answer.status < 400,
        f"the command {command} was answered {answer_text(answer)}{kept if answer.status < 400 else ''}",
        remedy,
    )
