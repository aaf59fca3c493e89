"""Stops code that takes too long, and says where that was. It counts CPU time, which a busy machine does not change.

A signal does it, which Python handles between two bytecodes and while `re` matches. Signals reach the main thread only:
elsewhere `cpu` fails at once, and `whole` bounds nothing.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

from gateway.testing.bugs import place_of
from gateway.testing.check import Cost, fail

CPU_OF_A_CHECK, WALL_OF_A_CHECK = 60.0, 120.0  # seconds
WALL_OF_PROCESSES = 600.0
"""Of a check that waits for servers, which are slow to start on a busy machine."""
AGAIN = 1.0  # second, after which it is tried again: what is raised may have been caught by the dialect
AGAIN_OF_A_CHECK = 30.0  # seconds, in which a check can end its servers


class OutOfTime(KeyboardInterrupt):
    """The time is up. Like Ctrl-C it passes whatever catches what a dialect raises."""


@contextlib.contextmanager
def cpu(seconds: float) -> Iterator[None]:
    """Raise OutOfTime in a block that takes more CPU time. Raises Failure outside of the main thread."""
    if threading.current_thread() is not threading.main_thread():
        fail(
            "the time that a dialect takes can be bounded in the main thread only, and this check runs in another one",
            "run the checks in the main thread, as pytest and `gateway dialects check` do",
        )
    with _timer(signal.ITIMER_VIRTUAL, signal.SIGVTALRM, seconds, AGAIN):
        yield


@contextlib.contextmanager
def whole(cost: Cost) -> Iterator[None]:
    """Raise Failure in a check that takes too long: in CPU time, or by the clock if nobody else has set an alarm."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    is_slow = cost in (Cost.SERVER, Cost.DATABASE, Cost.PROCESS)
    wall = WALL_OF_PROCESSES if is_slow else WALL_OF_A_CHECK
    with contextlib.ExitStack() as timers:
        timers.enter_context(_timer(signal.ITIMER_PROF, signal.SIGPROF, CPU_OF_A_CHECK, AGAIN_OF_A_CHECK))
        if signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0):
            timers.enter_context(_timer(signal.ITIMER_REAL, signal.SIGALRM, wall, AGAIN_OF_A_CHECK))
        try:
            yield
        except OutOfTime as problem:
            fail(
                f"it was stopped after {CPU_OF_A_CHECK:g} seconds of work, or {wall:g} seconds of waiting"
                f"{place_of(problem) or ', in no function of the dialect'}",
                "have it end: a function of a dialect takes milliseconds, and waits for nothing",
            )


@contextlib.contextmanager
def _timer(timer: int, number: signal.Signals, seconds: float, again: float) -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        raise OutOfTime

    before = signal.signal(number, stop)
    try:
        signal.setitimer(timer, seconds, again)
        try:
            yield
        finally:
            signal.setitimer(timer, 0)
    finally:
        signal.signal(number, before)
