"""The exceptions of a dialect: which of its functions raised, where, and what its author has to do about it."""

import contextlib
import logging
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import NoReturn

import attrs

from gateway.ingest.registry import text_of
from gateway.testing.check import Failure, fail

_CORE = str(Path(__file__).parents[1])
_LIBRARY = str(Path(logging.__file__).parents[1])
_OTHERS = ("hypothesis", "jsonschema")
"""Packages whose code stands between the kit's and the dialect's."""
_FUNCTIONS = {  # the dialect's function, by the one of the gateway that called it
    "_parsed": "parse",
    "_translated": "translate",
    "identifier_fault": "translate",
    "_line": "translate",
    "ingest": "render",
    "refuse": "refuse",
}
REMEDIES = {
    "parse": "return a Submission from `parse`, or raise Refusal, whatever it is given: look at what a value is before"
    " you use it, and give the submission a Fault if it cannot be read",
    "translate": "have the schema refuse such a value, or have `translate` return a Fault or keep the value under"
    " `context.<dialect>`: it gets whatever meets the item's schema, and an event has JSON values only",
    "render": "return a Response from `render` for every admitted request, whatever its outcomes are",
    "refuse": "return a Response from `refuse` for every Refusal; `detail` has only the facts that Reason names",
}
OTHER = "raise nothing but Refusal in a dialect, whatever a client sends"


@attrs.frozen
class Bug:
    """An exception of a dialect. `function` is the contract's name of the function that raised it, if that is known."""

    function: str | None
    text: str

    @property
    def remedy(self) -> str:
        """Return what to do about it."""
        return OTHER if self.function is None else REMEDIES[self.function]

    @classmethod
    def of(cls, problem: BaseException) -> "Bug":
        """Return the bug that an exception shows."""
        name, said = type(problem).__name__, text_of(problem, str)
        text = ascii((name if said == name else f"{name}: {said}").replace("\n", " ")[:300])[1:-1]
        return cls(_function(problem.__traceback__), text + _place(problem.__traceback__))


@contextlib.contextmanager
def exits_told() -> Iterator[None]:
    """Raise a Failure where a dialect raises SystemExit, or else what is no Exception and would end the whole run."""
    try:
        yield
    except (Exception, KeyboardInterrupt):
        raise
    except BaseException as problem:
        bug = Bug.of(problem)
        fail(f"the dialect raised {bug.text}, which ends a process", bug.remedy)


@contextlib.contextmanager
def all_told(doing: str) -> Iterator[None]:
    """Raise a Failure where a dialect raises anything at all: in a block in which no check of it runs yet."""
    try:
        with exits_told():
            yield
    except Failure:
        raise
    except Exception as problem:
        bug = Bug.of(problem)
        fail(f"{doing}: the dialect raised {bug.text}", bug.remedy)


def fail_in(function: str, what: str, problem: BaseException) -> NoReturn:
    """Raise the Failure of a function of the contract that raised an exception; `what` is what it was given."""
    fail(f"`{function}` fails on {what}: {Bug.of(problem).text}", REMEDIES[function])


def fail_as_logged(wrong: str, errors: Sequence[BaseException]) -> NoReturn:
    """Raise the Failure of a request that was answered 500; `errors` are the exceptions that were logged."""
    bugs = [Bug.of(each) for each in errors]
    if not bugs:
        fail(wrong, OTHER)
    fail(f"{wrong}: {bugs[0].text}", bugs[0].remedy)


def place_of(problem: BaseException) -> str:
    """Return the line of the dialect where an exception was, as ` (parse.py:12 in message)`; empty if in none."""
    return _place(problem.__traceback__)


def _function(trace: TracebackType | None) -> str | None:
    """Return which function of a dialect the gateway had called."""
    callers = [frame.name for frame in traceback.extract_tb(trace) if frame.filename.startswith(_CORE)]
    return next((_FUNCTIONS[name] for name in reversed(callers) if name in _FUNCTIONS), None)


def _place(trace: TracebackType | None) -> str:
    """Return the line of the dialect where it was, as ` (parse.py:12 in message)`; empty if it was in none."""
    frames = [frame for frame in traceback.extract_tb(trace) if not _is_between(frame.filename)]
    folder = Path(frames[0].filename).parent if frames else None
    own = [frame for frame in frames if folder and Path(frame.filename).is_relative_to(folder)]
    return f" ({Path(own[-1].filename).name}:{own[-1].lineno} in {own[-1].name})" if own else ""


def _is_between(filename: str) -> bool:
    """Return whether a file is the gateway's or Python's own."""
    is_library = filename.startswith((_LIBRARY, "<")) and "site-packages" not in filename
    return is_library or filename.startswith(_CORE) or any(f"/{name}/" in filename for name in _OTHERS)
