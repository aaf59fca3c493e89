"""Checks of a dialect that speaks its protocol outward: it takes what it emits, and nothing is lost in silence."""

import copy
import json
from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from typing import Any

import attrs

from gateway.dialect import Emitted, requests_of
from gateway.dialect.outbound import Files
from gateway.ingest.registry import discover, install
from gateway.operate.loss.generate import reads
from gateway.operate.loss.reading import Clock, as_received
from gateway.operate.loss.samples import samples_of
from gateway.testing.check import Check, require
from gateway.testing.corpus.message import SentRequest
from gateway.testing.dialect import returns
from gateway.testing.gate import Gate
from gateway.testing.subject import Subject

TOKEN, UUID = "0123456789abcdef" * 3, "6f1c0f0e-1d2c-4b3a-9a88-776655443322"
MOST_OF_A_STEP = 20
"""How many events of one request are looked at: the corpus has batches of 20,000."""


@attrs.frozen
class Stored:
    """An event that a case of the corpus leaves, with the contents of its files."""

    case: str
    event: Mapping[str, Any]
    files: Files


@attrs.frozen(slots=False)
class Own:
    """What a dialect's corpus leaves stored, found once for all checks."""

    subject: Subject

    @cached_property
    def events(self) -> tuple[Stored, ...]:
        """Return the events of all cases, whatever their switches."""
        return tuple(self._events())

    def _events(self) -> Iterator[Stored]:
        plain = self.subject.gate()
        for case in self.subject.corpus.cases:
            gate = plain
            if case.switches:
                gate = Gate.of(self.subject.dialect, self.subject.corpus.credentials, switches=case.switches)
            for step in case.steps:
                gate.storage.forget()
                gate.send(SentRequest.of(step["request"]))
                files = {blob.name: blob.content for blob in gate.storage.blobs}
                for line in gate.storage.bodies[:MOST_OF_A_STEP]:
                    yield Stored(case.name, json.loads(line), files)


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks, if the dialect can emit."""
    if subject.dialect.emit is None:
        return
    own = Own(subject)
    yield Check("emit/an outbound route is one of the dialect's, at its path", partial(_routes, subject))
    yield Check("emit/its own events come back as they were", partial(_own_come_back, own))
    yield Check("emit/the same event gives the same items and stays as it is", partial(_is_pure, own))
    yield Check("emit/requests are within the vendor's limits", partial(_limits, own))
    yield Check("emit/credentials are sent where it reads them", partial(_credentials, own))
    yield Check("emit/events of any dialect are taken, and told where they lose something", partial(_foreign, subject))


def _routes(subject: Subject) -> None:
    for outbound in subject.dialect.outbound:
        route = subject.installed.route(outbound.route)
        require(route is not None, f"outbound route {outbound.route} is no route of it", "name one of its routes")
        assert route is not None, "required"
        require(
            (outbound.method, outbound.path) in {(route.method, path) for path in route.paths},
            f"outbound route {outbound.route} is sent as {outbound.method} {outbound.path}, which that route is not",
            "give the method and one of the paths of the route",
        )


def _own_come_back(own: Own) -> None:
    for stored in own.events:
        returns.require(own.subject.installed, stored.event, stored.files, stored.case)


def _is_pure(own: Own) -> None:
    for stored in own.events:
        before = copy.deepcopy(stored.event)
        first, second = (_emit(own.subject, stored.event, stored.files) for _ in range(2))
        require(stored.event == before, f"emit changes the event of {stored.case} that it gets", "copy what it changes")
        require(first == second, f"emit gives two different answers for an event of {stored.case}", "make it pure")


def _limits(own: Own) -> None:
    dialect = own.subject.dialect
    routes = {route.route: route for route in dialect.outbound}
    items = [item for stored in own.events for item in _emit(own.subject, stored.event, stored.files).items]
    requests = requests_of(dialect, items, {})
    sent = [index for request in requests for index in request.items]
    require(sent == list(range(len(items))), "requests do not carry the items in their order", "see requests_of")
    for request in requests:
        route = routes[items[request.items[0]].route]
        fits = len(request.items) == 1 or len(request.body) <= route.most_bytes
        require(
            fits and len(request.items) <= route.most_items,
            f"a request to {route.path} has {len(request.items)} items and {len(request.body)} bytes",
            "a request must be within most_items and most_bytes",
        )


def _credentials(own: Own) -> None:
    """Each route that something is sent to reads a kind of credential, and each kind is read by one of them."""
    dialect, installed = own.subject.dialect, own.subject.installed
    items = [item for stored in own.events for item in _emit(own.subject, stored.event, stored.files).items]
    routes = {route.route: route for route in dialect.outbound}
    read: dict[str, set[str]] = {}
    for name, item in {item.route: item for item in items}.items():
        route = installed.route(name)
        assert route is not None, "looked at by another check"
        read[name] = set()
        for kind in [kind for kind in dialect.kinds if kind.places or kind.name in routes[name].credentials]:
            value = kind.normalize(kind.template.format(token=TOKEN, uuid=UUID))
            [request] = requests_of(dialect, [item], {kind.name: value})
            shown = {(each.kind, each.value) for each in route.parse(as_received(request)).credentials}
            read[name] |= {kind.name} if (kind.name, value) in shown else set()
        require(
            read[name],
            f"route {name} reads no kind of credential where a request to it has them",
            "say where each goes: the first of CredentialKind.places, or OutboundRoute.credentials",
        )
    unread = {kind.name for kind in dialect.kinds} - {kind for kinds in read.values() for kind in kinds}
    require(
        not unread,
        f"no route reads {', '.join(sorted(unread))} where a request has it",
        "say where it goes: the first of CredentialKind.places, or OutboundRoute.credentials",
    )


def _foreign(subject: Subject) -> None:
    for installed in install(discover(), {}):
        samples = samples_of(installed)
        for number in range(len(samples)):
            for read in reads(installed, samples, number):
                assert read.event is not None, "it became one"
                emitted = _emit(subject, read.event, read.files)
                clock = Clock(read.event["received_at"])
                where = f"{installed.dialect.name}'s sample {number}"
                returns.require_told(subject.installed, read.event, emitted, clock, where)


def _emit(subject: Subject, event: Mapping[str, Any], files: Files) -> Emitted:
    assert subject.dialect.emit is not None, "there are no checks otherwise"
    return subject.dialect.emit(event, files)
