"""All checks of a dialect, in their order: the only place that lists the families."""

import importlib.util
from collections.abc import Callable, Iterator
from functools import partial

import attrs

from gateway.testing.bugs import all_told, exits_told
from gateway.testing.check import Check, require
from gateway.testing.dialect import (
    bodies,
    cases,
    emit,
    kept,
    kept_whole,
    limits,
    outcomes,
    payloads,
    refusals,
    routing,
    schemas,
)
from gateway.testing.dialect.bounds import many, remembered, slow, touched
from gateway.testing.dialect.events import canonical, clocks, facts, misplaced, purity
from gateway.testing.dialect.once import idempotency, ids, kill
from gateway.testing.dialect.senders import credentials, hello, kinds, places, secrets
from gateway.testing.limit import whole
from gateway.testing.logged import unlogged
from gateway.testing.subject import Subject

FAMILIES: tuple[Callable[[Subject], Iterator[Check]], ...] = (
    schemas.checks,
    cases.checks,
    bodies.checks,
    payloads.checks,
    kept.checks,
    kept_whole.checks,
    routing.checks,
    limits.checks,
    refusals.checks,
    outcomes.checks,
    kinds.checks,
    credentials.checks,
    places.checks,
    hello.checks,
    secrets.checks,
    ids.checks,
    idempotency.checks,
    canonical.checks,
    facts.checks,
    misplaced.checks,
    purity.checks,
    clocks.checks,
    touched.checks,
    remembered.checks,
    slow.checks,
    many.checks,
    kill.checks,
    emit.checks,
)
"""Each yields the checks of its family, named `<family>/<promise>`, without doing what takes long."""


def dialect_checks(subject: Subject) -> list[Check]:
    """Return every check of a dialect. Raises Failure on a corpus that is none, and without what checks need."""
    require(
        importlib.util.find_spec("hypothesis"),
        "the package hypothesis is not installed, which makes inputs for the checks",
        "install the gateway with its extra `testing`: pip install 'event-gateway[testing]'",
    )
    found: list[Check] = []
    with all_told("its checks cannot be made"), unlogged():
        for family in FAMILIES:
            found += family(subject)
    return [attrs.evolve(each, run=partial(in_its_time, each)) for each in found]


def in_its_time(check: Check) -> None:
    """Run a check within its time. What the gateway logs of hostile requests is for it to read, and is not printed."""
    with unlogged(), exits_told(), whole(check.cost):
        check.run()
