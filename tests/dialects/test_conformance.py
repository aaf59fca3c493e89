"""The suite that every dialect has to pass, run on each installed one with its corpus: gateway/testing/dialect."""

from pathlib import Path

import pytest

from gateway.ingest.registry import discover
from gateway.testing import Check, dialect_checks, subject
from gateway.testing.check import Cost
from gateway.testing.engine.under_test import postgresql
from gateway.testing.subject import ENGINES

CORPORA = Path(__file__).parents[1] / "corpus"
CHECKS = [
    (f"{dialect.name}-{check}", check)
    for dialect in discover()
    for check in dialect_checks(subject(dialect.name, CORPORA / dialect.name, engines=(*ENGINES, postgresql())))
]


def of(*costs: Cost) -> pytest.MarkDecorator:
    """Give a test the checks that take so much."""
    chosen = [pytest.param(check, id=name) for name, check in CHECKS if check.cost in costs]
    return pytest.mark.parametrize("check", chosen)


# A test for each kind of tests/kit/kinds.py.


@of(Cost.PURE)
def test_a_dialect_keeps_a_promise(check: Check) -> None:
    check.run()


@of(Cost.GENERATED)
def test_a_dialect_keeps_a_promise_whatever_it_is_sent(check: Check) -> None:
    check.run()


@of(Cost.SERVER, Cost.DATABASE)
def test_a_dialect_keeps_a_promise_in_a_server(check: Check) -> None:
    check.run()


@of(Cost.PROCESS)
def test_a_dialect_keeps_a_promise_when_its_gateway_is_killed(check: Check) -> None:
    check.run()


def test_every_check_is_run() -> None:
    marks = [mark for name, test in globals().items() if name.startswith("test_") for mark in _given(test)]
    assert sorted(marks) == sorted(name for name, _ in CHECKS)


def _given(test: object) -> list[str]:
    return [each.id for mark in getattr(test, "pytestmark", ()) for each in mark.args[1]]
