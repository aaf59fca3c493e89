"""Why a route has no request in the corpus that is accepted whole: which ones there are, and what came of the best."""

from collections.abc import Iterator

import attrs

from gateway.dialect import Route
from gateway.ingest.router import Router
from gateway.testing.corpus.case import Case
from gateway.testing.corpus.message import Answer, SentRequest
from gateway.testing.logged import unlogged
from gateway.testing.samples.sample import LARGE
from gateway.testing.subject import Subject
from gateway.testing.wording import answer_text


@attrs.frozen
class _Attempt:
    """A request to a route that is not accepted whole; `stored` and `quarantined` count its items."""

    case: Case
    request: SentRequest
    answer: Answer
    stored: int
    quarantined: int

    @property
    def rank(self) -> tuple[bool, int, int]:
        """Return how near it came: what is smaller came nearer."""
        return self.answer.status >= 400, -self.stored, self.answer.status

    def __str__(self) -> str:
        kept = f"; {self.stored} of its items were stored, {self.quarantined} quarantined"
        what = f"{self.request.method} {self.request.head.path} of {self.case}"
        return f"{what} was answered {answer_text(self.answer)}{kept if self.answer.status < 400 else ''}"


def nearest(subject: Subject, route: Route) -> str:
    """Return in words which cases have requests to a route, and what came of the one that came nearest."""
    attempts = list(_attempts(subject, route))
    if not attempts:
        return f"{route.name}: no case without switches and a limit sends {route.method} {' or '.join(route.paths)}"
    best = min(attempts, key=lambda each: each.rank)
    others = dict.fromkeys(each.case.name for each in attempts if each.case is not best.case)
    more = f"; {', '.join(others)} came no nearer" if others else ""
    return f"{route.name}: {best}{more}"


def _attempts(subject: Subject, route: Route) -> Iterator[_Attempt]:
    gate, router = subject.emptied_gate(), Router((subject.installed,), {})
    for case in subject.corpus.cases:
        for request in () if case.switches or case.limit else case.requests:
            match = router.match(request.head.headers.get("host", ""), request.method, request.head.path)
            if match is None or match.endpoint is not route or len(request.body) > LARGE:
                continue
            gate.forget()
            with unlogged():
                [answer] = gate.send(request)
            yield _Attempt(case, request, answer, len(gate.storage.bodies), len(gate.storage.quarantined))
