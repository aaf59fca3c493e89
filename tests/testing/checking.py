"""Runs some of a suite's checks, and says what came of them."""

from types import FunctionType

import pytest

from gateway.testing import Failure, Subject, dialect_checks


def kept(subject: Subject, family: str) -> list[str]:
    """Return the names of a family's checks once all of them have passed."""
    checks = [check for check in dialect_checks(subject) if check.name.startswith(f"{family}/")]
    for check in checks:
        check.run()
    return [check.name for check in checks]


def failure(subject: Subject, name: str) -> Failure:
    """Return how a check fails. Its `str` is all that is printed, `wrong` and `remedy` are the two parts of that."""
    [check] = [check for check in dialect_checks(subject) if check.name == name]
    with pytest.raises(Failure) as caught:
        check.run()
    return caught.value


def place(function: object, line: int) -> str:
    """Return where an exception is raised in a function, by its line from the `def` on, as a Failure names it."""
    assert isinstance(function, FunctionType), "a function of a test"
    code = function.__code__
    return f"({code.co_filename.rpartition('/')[2]}:{code.co_firstlineno + line} in {code.co_name})"
