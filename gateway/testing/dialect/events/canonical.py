"""Checks of the events of all accepted cases: they are canonical, and only the gateway says whose they are."""

from collections.abc import Iterator
from functools import partial

from gateway.dialect import Event
from gateway.testing.check import Check, require
from gateway.testing.corpus.message import SentRequest
from gateway.testing.gate import Gate
from gateway.testing.samples.readings import MESSAGE_ID, events, readings, received
from gateway.testing.subject import Subject
from gateway.testing.trial.canonical import require_canonical

IDS = ("anonymous_id", "user_id", "previous_id", "group_id", "session_id", "sent_at")


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks of events."""
    yield Check("events/each fits the canonical schema", partial(_canonical, subject))
    yield Check("events/only the gateway says whose it is", partial(_chosen, subject))
    yield Check("events/an id that is not known is null", partial(_ids, subject))
    yield Check("events/what happened has a name", partial(_names, subject))


def _canonical(subject: Subject) -> None:
    """Send every case, with its switches, and look for events that are kept aside as the dialect's mistake."""
    gates = {frozenset[str](): subject.emptied_gate()}
    for case in subject.corpus.cases:
        if "limit" in case.document:
            continue
        if case.switches not in gates:
            gates[case.switches] = Gate.of(subject.dialect, subject.corpus.credentials, switches=case.switches)
        gate = gates[case.switches]
        for number, step in enumerate(case.steps, 1):
            request = SentRequest.of(step["request"])
            gate.forget()
            gate.send(request)
            what = f"{request.method} {request.head.path}, step {number} of {case.name},"
            require_canonical(what, gate.storage.quarantined, subject.dialect.name)


def _chosen(subject: Subject) -> None:
    for reading in readings(subject.installed, subject.corpus):
        told = received(subject.installed, reading)
        for index, item, event in events(subject.installed, reading):
            stamps = {
                "project": told.project,
                "dialect": subject.dialect.name,
                "message_id": item.message_id or MESSAGE_ID,
                "received_at": told.received_at,
            }
            for name, value in stamps.items():
                made = getattr(event, name)
                require(
                    made in ("", value),
                    f"{reading.title}: `translate` gives event {index} the {name} {made!r}, not {value!r}",
                    f"leave {name} out of the Event: the gateway sets it, whatever a request or a dialect says",
                )


def _ids(subject: Subject) -> None:
    for reading in readings(subject.installed, subject.corpus):
        for index, _, event in events(subject.installed, reading):
            for name in IDS:
                require(
                    getattr(event, name) != "",
                    f"{reading.title}: `translate` gives event {index} an empty {name}",
                    f'make it None: Event({name}=sent or None), for all that were sent as "" would be one',
                )


def _names(subject: Subject) -> None:
    """Fail for a route whose tracks never have a name. Single ones may have none: clients leave it out.

    A page or a screen need not be called anything.
    """
    made: dict[str, list[tuple[str, Event]]] = {}
    for reading in readings(subject.installed, subject.corpus):
        for _, _, event in events(subject.installed, reading):
            if event.type == "track":
                made.setdefault(reading.route.name, []).append((reading.title, event))
    for of_route in made.values():
        title, event = of_route[0]
        require(
            any(each.name for _, each in of_route),
            f"{title}: `translate` makes a track event without a name, and none of this route's has one",
            "put into Event.name what happened",
        )
