"""Checks that each case of the corpus is answered and stored exactly, in every way in which it can be sent."""

from collections.abc import Iterator, Sequence
from functools import partial

from gateway.testing.check import Check, Cost, require
from gateway.testing.corpus.case import Case
from gateway.testing.dialect.nearest import nearest
from gateway.testing.engine.under_test import EngineUnderTest
from gateway.testing.subject import Subject
from gateway.testing.ways.outcome import differences
from gateway.testing.ways.sending import wrong_cases
from gateway.testing.ways.servers import WAYS, Way

MOST_LINES = 8
"""How many differences of a case are shown."""
MOST_CASES = 3
"""How many cases are shown with their differences; the others are named."""
REMEDY = (
    "mend the dialect; or, where the case is wrong, mend that (--accept writes what the dialect does now, "
    "read the difference before you keep it)"
)


def checks(subject: Subject) -> Iterator[Check]:
    """Yield a check for each case without IO, and one for each other way in which all of them are sent."""
    yield Check("cases/every route has a case that is accepted", partial(_every_route_is_accepted, subject))
    for case in subject.corpus.cases:
        yield Check(f"cases/{case.name}", partial(_without_io, subject, case))
    for engine in subject.engines if subject.is_discovered else ():
        cost = Cost.SERVER if engine.name == "sqlite" else Cost.DATABASE
        for way in WAYS:
            yield Check(f"cases/all {way.name}, on {engine}", partial(_over_http, subject, way, engine), cost)


def _every_route_is_accepted(subject: Subject) -> None:
    have = {sample.route.name for sample in subject.samples}
    missing = [route for route in subject.installed.routes if route.name not in have]
    names = ", ".join(route.name for route in missing)
    require(
        not missing,
        "\n  ".join(
            [
                f"no case of {subject.corpus.folder} has a request to route {names} that is accepted whole",
                *[nearest(subject, route) for route in missing],
            ]
        ),
        "add one for each, with the events that it becomes: the other checks are made from them",
    )


def _without_io(subject: Subject, case: Case) -> None:
    sent = subject.in_memory.send(case)
    wrong = differences(case, sent.outcome)
    require(not wrong, told(case, [*sent.bugs, *wrong]), REMEDY)


def _over_http(subject: Subject, way: Way, engine: EngineUnderTest) -> None:
    wrong, total = wrong_cases(subject, way, engine), len(subject.corpus.cases)
    texts = [told(case, each) for case, each in wrong[:MOST_CASES]]
    names = ", ".join(case.name for case, _ in wrong[MOST_CASES:])
    more = [f"and so do {names}"] if names else []
    require(
        not wrong,
        "\n".join([f"{way.name}, on {engine}, {len(wrong)} of {total} cases end differently:", *texts, *more]),
        f"{REMEDY}. If the case fails here only, the dialect depends on something that it must not: "
        "what is outside of the request, or what it kept from another one",
    )


def told(case: Case, wrong: Sequence[str]) -> str:
    """Return what is wrong with a case as one text."""
    more = [f"and {len(wrong) - MOST_LINES} more"] if len(wrong) > MOST_LINES else []
    return "\n  ".join([f"{case.file}:", *wrong[:MOST_LINES], *more])
