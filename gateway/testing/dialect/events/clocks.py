"""The check that a dialect's functions ask neither a clock nor chance nor the machine: it looks at what they call."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from gateway.dialect import Accepted, Outcome, Verdict
from gateway.testing.check import Check, require
from gateway.testing.samples.readings import event_of, items, of_sample, received
from gateway.testing.subject import Subject

CLOCKS = ("time.time", "time.time_ns", "time.localtime", "time.monotonic", "time.perf_counter")
DATES = ("now", "utcnow", "today")
OTHERS = ("posix.urandom", "posix.getpid", "posix.uname", "_socket.gethostname")
RANDOM = ("random", "getrandbits")


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the check."""
    yield Check("purity/no function asks a clock, chance or the machine", partial(_calls, subject))


def _calls(subject: Subject) -> None:
    for sample in subject.samples:
        outcomes = tuple([Outcome(Verdict.STORED, f"m-{number}") for number in range(len(sample.submission.items))])
        accepted = Accepted(sample.read, sample.submission, outcomes, str(sample.events[0]["project"]))
        _require_none(sample, "parse", partial(sample.route.parse, sample.read))
        _require_none(sample, "render", partial(sample.route.render, accepted))
        reading = of_sample(sample)
        if reading is not None:
            told = received(subject.installed, reading)
            for _, item in items(subject.installed, reading):
                _require_none(sample, "translate", partial(event_of, reading.route, item, told))


def _require_none(sample: object, name: str, function: Callable[[], object]) -> None:
    with _watched() as called:
        function()
    require(
        not called,
        f"{sample}: `{name}` calls {called[0] if called else ''}",
        "make what is returned of what is given alone: Received.received_at is the time, and the gateway makes ids",
    )


@contextmanager
def _watched() -> Iterator[list[str]]:
    """Note each call of a clock and its like in this thread, with its place."""
    called: list[str] = []

    def note(frame: FrameType, event: str, function: Any) -> None:
        if event == "c_call":
            name = _name(function)
            if name is not None:
                called.append(f"{name} ({Path(frame.f_code.co_filename).name}:{frame.f_lineno})")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield called
    finally:
        sys.setprofile(before)


def _name(function: Any) -> str | None:
    """Return the name of a built-in function that is a clock or its like; None for any other."""
    owner, name = getattr(function, "__self__", None), function.__name__
    if isinstance(owner, ModuleType):
        full = f"{owner.__name__}.{name}"
        return full.replace("posix", "os").replace("_socket", "socket") if full in CLOCKS or full in OTHERS else None
    if isinstance(owner, type):
        return f"{owner.__name__}.{name}" if owner.__module__ == "datetime" and name in DATES else None
    return f"random.{name}" if type(owner).__module__ == "random" and name in RANDOM else None
