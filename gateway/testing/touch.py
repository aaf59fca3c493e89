"""Finds out when a function does more than to compute: opens a file, connects, starts a thread or a process, sleeps.

Python tells an audit hook of most, before it is done, and a profiler of all calls. A hook cannot be taken away: there
is one, which looks only while a watched function runs.
"""

import _thread
import functools
import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import BuiltinFunctionType, FrameType
from typing import Any, NoReturn

import attrs

TOUCHES: Mapping[str, str] = {
    "open": "opens a file",
    "os.listdir": "reads a folder",
    "os.scandir": "reads a folder",
    "os.mkdir": "makes a folder",
    "os.remove": "deletes a file",
    "os.rename": "renames a file",
    "os.system": "starts a process",
    "os.fork": "starts a process",
    "os.posix_spawn": "starts a process",
    "subprocess.Popen": "starts a process",
    "socket.__new__": "opens a socket",
    "socket.getaddrinfo": "asks for the address of a host",
    "socket.gethostbyname": "asks for the address of a host",
    "sqlite3.connect": "opens a database",
}
"""What is told of an audit event."""
CALLS: Mapping[object, str] = {time.sleep: "sleeps", _thread.start_new_thread: "starts a thread"}
"""Functions of which Python tells audit hooks only in later versions: it tells a profiler of their calls."""


class Touched(BaseException):
    """Raised in the place of what was about to be done. No Exception, for a dialect may catch those."""


@attrs.define
class Touch:
    """The first thing that a watched function was about to do: which function, what, and the exception there.

    It watches while `is_watching`.
    """

    function: str = ""
    what: str = ""
    problem: Touched | None = None
    is_watching: bool = False

    def watched(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that is watched while it runs in its thread."""
        _install()

        @functools.wraps(function)
        def call(*given: Any) -> Any:
            if not self.is_watching:
                return function(*given)
            _here.touch, self.function = self, name if self.problem is None else self.function
            before = sys.getprofile()
            sys.setprofile(_profile)
            try:
                return function(*given)
            finally:
                sys.setprofile(before)
                _here.touch = None

        return call


class _Here(threading.local):
    touch: Touch | None = None


_here = _Here()


def _hook(event: str, _given: object, here: _Here = _here, touches: Mapping[str, str] = TOUCHES) -> None:
    """Look at an event. What it needs are defaults: it is called until Python has ended, without its module."""
    if event in touches and here.touch is not None:
        _tell(touches[event])


def _profile(_frame: FrameType, event: str, called: object) -> None:
    """Look at a call of a function that is written in C."""
    if event == "c_call" and _here.touch is not None and isinstance(called, BuiltinFunctionType) and called in CALLS:
        _tell(CALLS[called])


def _tell(what: str) -> NoReturn:
    """Raise Touched in a watched function, and watch it no longer."""
    touch, _here.touch = _here.touch, None
    assert touch is not None, "it is watched"
    touch.what, touch.problem = what, Touched(what)
    raise touch.problem


@functools.cache
def _install() -> None:
    sys.addaudithook(_hook)
