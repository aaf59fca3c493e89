"""Runs checks one after the other without pytest, and says what came of each."""

import contextlib
import signal
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from textwrap import indent
from typing import NoReturn

import attrs

from gateway.testing.check import Check, Cost, Failure

NO_POSTGRESQL = "PostgreSQL was not tried: the extra `testing` installs it (pip install 'event-gateway[testing]')"
FRAMES = -6
"""How much of a traceback is printed: its end, where the dialect is."""


@attrs.frozen
class Result:
    """What came of a check: None for a promise that is kept, else what to print."""

    check: Check
    problem: str | None


def run(checks: Iterable[Check], on_result: Callable[[Result], None]) -> int:
    """Run checks; return how many failed. An exception that is no Failure is printed with its traceback."""
    failed = 0
    for check in checks:
        result = Result(check, _problem_of(check))
        failed += result.problem is not None
        on_result(result)
    return failed


@contextlib.contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Raise KeyboardInterrupt in a block on SIGTERM too, so that what it has started is ended, and its folders go."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt(signal.Signals(number).name)


def report(results: Sequence[Result], suite: Iterable[Check]) -> Iterator[str]:
    """Yield what to print of the checks of a suite that were run: each failure, and last a line with their number."""
    failed = [result for result in results if result.problem is not None]
    for result in failed:
        yield f"FAILED {result.check}\n{indent(str(result.problem), '  ')}\n"
    if not any(check.cost is Cost.DATABASE for check in suite):
        yield NO_POSTGRESQL
    yield f"{len(results)} check{'' if len(results) == 1 else 's'}, {len(failed)} failed"


def _problem_of(check: Check) -> str | None:
    try:
        check.run()
    except Failure as failure:
        return str(failure)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return f"It raised an exception: a bug of the dialect, or of this check.\n{traceback.format_exc(limit=FRAMES)}"
    return None
