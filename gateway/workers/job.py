"""What a child process gets from its parent, reports to it, and how it ends when its parent does. No events here."""

import contextlib
import json
import os
import pickle
import sys
import threading
from collections.abc import Sequence
from typing import Self

import attrs

from gateway.config import Config

WRITER = "writer"
HTTP_WORKER = "HTTP worker"
CONSOLE = "console"
MODULES = {WRITER: "gateway.workers.child", HTTP_WORKER: "gateway.workers.child", CONSOLE: "gateway.console.process"}
"""Where the `main` of each role is. The console's loads nothing that only the others need, and they nothing of its."""


@attrs.frozen
class Job:
    """What a child process is to do. Numbers are of file descriptors that it inherits.

    `role` is WRITER, HTTP_WORKER or CONSOLE. `listener` is the writer's Unix socket, or the TCP socket of one HTTP
    worker alone; the console has none: it listens by itself, once its address is free. The writer keeps the data
    directory's `lock`, so that no other gateway starts while it lives. `shared` is the file of the HTTP workers' shared
    memory, in which worker `slot` (from 0) has a part of its own. `url` tells the console where ingestion answers.
    """

    role: str
    config: Config
    listener: int = -1
    lock: int = -1
    shared: int = -1
    slot: int = 0
    url: str = ""

    @property
    def name(self) -> str:
        """Return the process's name for log lines: `writer`, `HTTP worker 1`."""
        return f"{self.role} {self.slot + 1}" if self.role == HTTP_WORKER else self.role

    @property
    def inherited(self) -> tuple[int, ...]:
        """Return the descriptors that the child process inherits."""
        return tuple(number for number in (self.listener, self.lock, self.shared) if number >= 0)


def command(job: Job) -> Sequence[str]:
    """Return the command that runs a child process, which reads its job from standard input.

    `-m` puts the working directory before all other places, so that any `json.py` there would be taken for Python's
    own. It may do so only when this process was started in that way itself.
    """
    safe = [] if {"", os.getcwd()} & set(sys.path) else ["-P"]
    return [sys.executable, *safe, "-m", MODULES[job.role], job.name]  # the name is for whoever looks at `ps`


def dump(job: Job) -> bytes:
    """Return a job as the bytes that `ParentPipe.receive_job` reads."""
    return pickle.dumps(job)


@attrs.frozen
class ParentPipe:
    """A child process's pipes from and to its parent."""

    job: Job
    _out: int

    @classmethod
    def receive_job(cls) -> Self:
        """Read the job, and from now on end at once when the parent does, however it does: its end of a pipe closes.

        A thread waits for that, so that a busy event loop does not delay it. Ending at once loses nothing: what is not
        committed was not acknowledged. Anything that is printed goes to stderr: standard output is for reports.
        """
        job: Job = pickle.load(sys.stdin.buffer)  # noqa: S301 (our parent wrote it)
        threading.Thread(target=_exit_at_end_of, args=(sys.stdin.fileno(),), daemon=True).start()
        out = os.dup(sys.stdout.fileno())
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        return cls(job, out)

    def report(self, **facts: str) -> None:
        """Send the parent one line of JSON: `{"ready": WHAT}`, or `{"failed": WHY}`."""
        with contextlib.suppress(OSError):
            os.write(self._out, json.dumps(facts).encode() + b"\n")


def _exit_at_end_of(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        os.read(descriptor, 1)
    os._exit(1)
