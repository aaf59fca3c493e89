"""What a child process gets from its parent, reports to it, and how it ends when its parent does. No events here."""

import contextlib
import json
import os
import pickle
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, Self

import attrs

from gateway.config import Config

LENGTH = 4  # bytes before each message of the parent, which say how long it is
WRITER = "writer"
HTTP_WORKER = "HTTP worker"
CONSOLE = "console"
MODULES = {WRITER: "gateway.workers.child", HTTP_WORKER: "gateway.workers.child", CONSOLE: "gateway.console.process"}
"""Where the `main` of each role is. The console's loads nothing that only the others need, and they nothing of its."""


@attrs.frozen
class Job:
    """What a child process is to do. Numbers are of file descriptors that it inherits.

    `role` is WRITER, HTTP_WORKER or CONSOLE. `listener` is the writer's Unix socket. `listeners` are the sockets of an
    HTTP worker, see Listeners; the console has none: it listens by itself, once its address is free. The writer keeps
    the data directory's `lock`, so that no other gateway starts while it lives. `shared` is the file of the shared
    memory, in which HTTP worker `slot` (from 0) has a part of its own, and the writer too. `url` tells the console
    where ingestion answers.
    """

    role: str
    config: Config
    listener: int = -1
    lock: int = -1
    shared: int = -1
    slot: int = 0
    url: str = ""
    listeners: tuple[int, ...] = ()
    handed_over: bool = False

    @property
    def name(self) -> str:
        """Return the process's name for log lines: `writer`, `HTTP worker 1`."""
        return process_name(self.role, self.slot)

    @property
    def inherited(self) -> tuple[int, ...]:
        """Return the descriptors that the child process inherits."""
        return tuple(number for number in (self.listener, self.lock, self.shared, *self.listeners) if number >= 0)


def process_name(role: str, slot: int = 0) -> str:
    """Return what a process is called in log lines and metrics: `HTTP worker 1` for the one in slot 0."""
    return f"{role} {slot + 1}" if role == HTTP_WORKER else role


def command(job: Job) -> Sequence[str]:
    """Return the command that runs a child process, which reads its job from standard input.

    `-m` puts the working directory before all other places, so that any `json.py` there would be taken for Python's
    own. It may do so only when this process was started in that way itself.
    """
    safe = [] if {"", os.getcwd()} & set(sys.path) else ["-P"]
    return [sys.executable, *safe, "-m", MODULES[job.role], job.name]  # the name is for whoever looks at `ps`


def dump(sent: Job | Config) -> bytes:
    """Return a job, or a configuration that a process is to take while it runs, as the bytes that ParentPipe reads."""
    body = pickle.dumps(sent)
    return len(body).to_bytes(LENGTH, "big") + body


class ParentPipe:
    """A child process's pipes from and to its parent. `job` is what the parent sent first."""

    def __init__(self, job: Job, out: int) -> None:
        self.job = job
        self._out = out
        self._lock = threading.Lock()
        self._newest: Config | None = None
        self._on_config: Callable[[], object] = _nothing

    @classmethod
    def receive_job(cls) -> Self:
        """Read the job, and from now on end at once when the parent does, however it does: its end of a pipe closes.

        A thread waits for that, so that a busy event loop does not delay it. Ending at once loses nothing: what is not
        committed was not acknowledged. Anything that is printed goes to stderr: standard output is for reports.
        """
        job: Job = _received()
        out = os.dup(sys.stdout.fileno())
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        pipe = cls(job, out)
        threading.Thread(target=pipe._receive, daemon=True).start()
        return pipe

    def on_config(self, call: Callable[[], object]) -> None:
        """Have `call` called, in another thread, whenever the parent has sent a configuration; now if it has before."""
        with self._lock:
            self._on_config = call
            if self._newest is not None:
                call()

    def newest_config(self) -> Config | None:
        """Return the configuration that came last, once; None if none has come since."""
        with self._lock:
            newest, self._newest = self._newest, None
        return newest

    def _receive(self) -> None:
        with contextlib.suppress(Exception):  # EOFError is the usual end
            while True:
                config: Config = _received()
                with self._lock:
                    self._newest = config
                    self._on_config()
        os._exit(1)

    def report(self, **facts: str) -> None:
        """Send the parent a line of JSON: `{"ready": WHAT}`, `{"failed": WHY}`, `{"renewed": ""}`."""
        with contextlib.suppress(OSError):
            os.write(self._out, json.dumps(facts).encode() + b"\n")


def _nothing() -> None:
    pass


def _received() -> Any:
    """Wait for what the parent sends next on standard input, and return it. Raises EOFError once it is gone.

    It reads past Python's own buffer: a thread that waits in there would keep the process from ending.
    """
    return pickle.loads(_read(int.from_bytes(_read(LENGTH), "big")))  # noqa: S301 (our parent wrote it)


def _read(size: int) -> bytes:
    body = b""
    while len(body) < size:
        part = os.read(0, size - len(body))
        if not part:
            raise EOFError
        body += part
    return body
