"""Running checks without pytest: what is said of each, and of all."""

from gateway.testing.check import Check, Cost, fail
from gateway.testing.run import NO_POSTGRESQL, Result, report, run


def kept() -> None:
    """Keep the promise."""


def broken() -> None:
    fail("the answer was 500", "let parse return a fault")


def raising() -> None:
    raise KeyError("id")


GOOD = Check("a/good", kept)
BAD = Check("a/bad", broken)
BUG = Check("a/bug", raising)
STORED = Check("a/stored", kept, Cost.DATABASE)


def results_of(*checks: Check) -> tuple[int, list[Result]]:
    results: list[Result] = []
    return run(checks, results.append), results


def test_each_check_is_run_whatever_becomes_of_the_others() -> None:
    failed, results = results_of(BAD, BUG, GOOD)
    assert (failed, [result.check for result in results]) == (2, [BAD, BUG, GOOD])
    assert results[0].problem == "the answer was 500\n  To do: let parse return a fault"
    assert results[2].problem is None
    lines = str(results[1].problem).splitlines()
    assert lines[0] == "It raised an exception: a bug of the dialect, or of this check."
    assert lines[-1] == "KeyError: 'id'"


def test_a_report_has_the_failures_and_the_numbers() -> None:
    _, results = results_of(GOOD, BAD, STORED)
    assert list(report(results, [GOOD, BAD, STORED])) == [
        "FAILED a/bad\n  the answer was 500\n    To do: let parse return a fault\n",
        "3 checks, 1 failed",
    ]


def test_a_report_says_when_no_check_of_the_suite_needs_a_database() -> None:
    _, results = results_of(GOOD)
    assert list(report(results, [GOOD, BAD])) == [NO_POSTGRESQL, "1 check, 0 failed"]
    assert list(report(results, [GOOD, STORED])) == ["1 check, 0 failed"]
