"""Checks that the functions of a dialect only compute, whatever a request brings: they run while all others wait."""

import contextlib
from collections.abc import Iterator
from functools import partial

import attrs

from gateway.dialect import Dialect, Route
from gateway.testing.bugs import place_of
from gateway.testing.check import Check, fail
from gateway.testing.corpus.message import SentRequest
from gateway.testing.gate import Gate
from gateway.testing.samples.sample import Sample
from gateway.testing.samples.variants import with_body, without_credentials
from gateway.testing.subject import Subject
from gateway.testing.touch import Touch, Touched


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the check."""
    yield Check("purity/no file, socket, thread or process is touched, and nothing sleeps", partial(_touched, subject))


def _touched(subject: Subject) -> None:
    touch = Touch()
    plain = subject.emptied_gate()
    watched = Gate.of(_watched(subject, touch), subject.corpus.credentials)
    touch.is_watching = True
    for sample in subject.samples:
        for what, request in _requests(sample):
            plain.forget()
            plain.send(request)  # imports what is imported only when it is needed
            watched.forget()
            with contextlib.suppress(Touched):
                watched.send(request)
            if touch.problem is not None:
                fail(
                    f"{what}: `{touch.function}` {touch.what}{place_of(touch.problem)}",
                    "have it compute its result from what it is given, and nothing else: all other requests wait for"
                    " it, in one thread. What it needs of a file is read when the module is imported",
                )


def _watched(subject: Subject, touch: Touch) -> Dialect:
    """Return the dialect with its functions watched."""
    dialect = subject.dialect

    def route(given: Route) -> Route:
        return attrs.evolve(
            given,
            parse=touch.watched("parse", given.parse),
            translate=touch.watched("translate", given.translate),
            render=touch.watched("render", given.render),
            refuse=None if given.refuse is None else touch.watched("refuse", given.refuse),
        )

    routes = tuple([route(each) for each in subject.installed.routes])
    return attrs.evolve(dialect, routes=routes, refuse=touch.watched("refuse", dialect.refuse))


def _requests(sample: Sample) -> Iterator[tuple[str, SentRequest]]:
    yield str(sample), sample.request
    yield f"{sample} with the body {{", with_body(sample.request, b"{")
    bare = without_credentials(sample)
    if bare is not None:
        yield f"{sample} without credentials", bare
