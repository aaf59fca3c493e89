"""Finds what a dialect accepts: whole requests of the corpus, each with what became of it. No sockets."""

import json
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import attrs

from gateway.dialect import Reason, Refusal, Request, Route, Submission
from gateway.ingest.registry import Installed
from gateway.ingest.router import Match, Router
from gateway.testing.bugs import fail_in
from gateway.testing.corpus.case import Corpus
from gateway.testing.corpus.message import Answer, SentRequest
from gateway.testing.gate import Gate
from gateway.testing.logged import unlogged
from gateway.testing.samples.places import json_of, places_of
from gateway.testing.wording import with_the_body

MOST_OF_A_ROUTE = 6
"""How many samples there are of a route: the smallest one of each sort, and the fullest of all beside them."""
LARGE = 20_000  # bytes of a body that is no sample: it would take long to change it a hundred times


@attrs.frozen(slots=False)
class Sample:
    """A request that is accepted as it stands, in a gateway that has stored nothing: each item becomes an event.

    `case` and `step` say where in the corpus it is. `events` are what is stored of it.
    """

    case: str
    step: int
    route: Route
    request: SentRequest
    answer: Answer
    events: tuple[dict[str, Any], ...]
    read: Request
    submission: Submission
    router: Router = attrs.field(eq=False, repr=False)

    def __str__(self) -> str:
        return f"{self.request.method} {self.request.head.path} of {self.case}"

    @cached_property
    def has_ids(self) -> bool:
        """Return whether the client named each of its items."""
        return bool(self.submission.items) and all(item.message_id for item in self.submission.items)

    def parse(self, request: SentRequest) -> Submission | Refusal:
        """Return what its route reads of another request, or the refusal: that of `parse`, or of a path elsewhere.

        Raises Failure if `parse` raises anything else.
        """
        match = self._match(request)
        if match is None:
            return Refusal(Reason.NOT_FOUND)
        try:
            return self.route.parse(request.read(match.path, match.variables))
        except Refusal as refusal:
            return refusal
        except Exception as problem:
            what = f"{request.method} {request.target} {with_the_body(request.body)}, made of {self.case}"
            fail_in("parse", what, problem)

    def is_reached_by(self, request: SentRequest) -> bool:
        """Return whether another request belongs to the same route."""
        return self._match(request) is not None

    def _match(self, request: SentRequest) -> Match | None:
        head = request.head
        match = self.router.match(head.headers.get("host", ""), request.method, head.path)
        return match if match is not None and match.endpoint is self.route else None


def samples_of(installed: Installed, corpus: Corpus) -> tuple[Sample, ...]:
    """Return the samples of a corpus: of each route, the smallest request of each sort, a few at most, and the fullest.

    The fullest has the most places: a smallest one seldom has what a client may leave out. Cases with switches or a
    limit have none.
    """
    found: dict[str, list[Sample]] = {route.name: [] for route in installed.routes}
    for sample in accepted(installed, corpus):
        found[sample.route.name].append(sample)
    return tuple([sample for samples in found.values() for sample in _chosen(samples)])


def _chosen(samples: list[Sample]) -> list[Sample]:
    """Return the samples of one route, the smallest first."""
    samples = sorted(samples, key=lambda each: (len(each.request.body), each.case, each.step))
    of_sorts: dict[tuple[object, ...], Sample] = {}
    for sample in samples:
        of_sorts.setdefault(_sort(sample), sample)
    chosen = list(of_sorts.values())[:MOST_OF_A_ROUTE]
    fullest = max(samples, key=lambda each: len(places_of(each.request)), default=None)
    return chosen if fullest is None or fullest in chosen else [*chosen, fullest]


def _sort(sample: Sample) -> tuple[object, ...]:
    items = sample.submission.items
    return (
        frozenset(credential.kind for credential in sample.submission.credentials),
        frozenset(item.kind for item in items),
        len(items) > 1,
        sample.has_ids,
        "origin" in sample.read.headers,
        isinstance(json_of(sample.request), list),
    )


def accepted(installed: Installed, corpus: Corpus) -> Iterator[Sample]:
    """Yield every request of a corpus that is accepted whole, in the corpus's order."""
    gate = Gate.of(installed.dialect, corpus.credentials)
    router = Router((installed,), {})
    for case in corpus.cases:
        if case.switches or "limit" in case.document:
            continue
        for number, step in enumerate(case.steps):
            request = SentRequest.of(step["request"])
            if len(request.body) > LARGE or step.get("answer", {}).get("status", 200) >= 400:
                continue
            gate.storage.forget()
            with unlogged():  # the checks of cases tell of a request that is answered 500
                [answer] = gate.send(request)
            found = _sample(gate, router, request)
            if found is not None:
                route, read, submission = found
                events = tuple(json.loads(body) for body in gate.storage.bodies)
                yield Sample(case.name, number, route, request, answer, events, read, submission, router)


def _sample(gate: Gate, router: Router, request: SentRequest) -> tuple[Route, Request, Submission] | None:
    """Return how a request was read whose items have all become events; None for any other."""
    storage = gate.storage
    if len(storage.entries) != 1 or not storage.bodies or storage.quarantined:
        return None
    match = router.match(request.head.headers.get("host", ""), request.method, request.head.path)
    if match is None or not isinstance(match.endpoint, Route):
        return None
    read = request.read(match.path, match.variables)
    submission = match.endpoint.parse(read)
    whole = len(submission.items) == len(storage.bodies) and submission.fault is None
    return (match.endpoint, read, submission) if whole else None
