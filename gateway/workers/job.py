"""What one process is told when it starts, what it tells back, and how it ends when its parent does. No events here."""

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
HTTP_WORKER = "front"


@attrs.frozen
class Job:
    """What a process is to be. Numbers are of descriptors that it inherits.

    `listener` is the writer's Unix socket or a front's TCP socket, bound and its own. The writer holds on to the data
    directory's `lock`, so that no other gateway gets in while it lives; `shared` is a file of the fronts' shared
    memory, where the front `slot` has a part of its own.
    """

    role: str
    config: Config
    listener: int
    lock: int = -1
    shared: int = -1
    slot: int = 0

    @property
    def name(self) -> str:
        """Return what to call it in a log line."""
        return self.role if self.role == WRITER else f"{self.role} {self.slot + 1}"

    @property
    def inherited(self) -> tuple[int, ...]:
        """Return the descriptors that must not be closed on the way."""
        return tuple(number for number in (self.listener, self.lock, self.shared) if number >= 0)


def command(job: Job) -> Sequence[str]:
    """Return the command that runs a process whose job comes on its standard input.

    `-m` puts the working directory before all other places, where any `json.py` would be taken for Python's own: it
    does so here only when this process was started that way itself.
    """
    safe = [] if {"", os.getcwd()} & set(sys.path) else ["-P"]
    return [sys.executable, *safe, "-m", "gateway.workers.child", job.name]  # the name is for whoever looks at `ps`


def dump(job: Job) -> bytes:
    """Return a job as the bytes that `Parent.hear` reads."""
    return pickle.dumps(job)


@attrs.frozen
class ParentPipe:
    """The process that started this one, as this one sees it: it gave the job, and is told how that goes."""

    job: Job
    _out: int

    @classmethod
    def receive_job(cls) -> Self:
        """Take the job, and from now on end at once when the parent does, however it does: its end of a pipe closes.

        A thread of its own waits for that, so that a busy event loop does not put it off. Ending at once loses nothing:
        what is not committed was not acknowledged. What anybody prints goes to stderr, as standard output is for us.
        """
        job: Job = pickle.load(sys.stdin.buffer)  # noqa: S301 (our parent wrote it)
        threading.Thread(target=_end_with, args=(sys.stdin.fileno(),), daemon=True).start()
        ear = os.dup(sys.stdout.fileno())
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        return cls(job, ear)

    def report(self, **facts: str) -> None:
        """Tell the parent something: `ready`, or why this process `failed`."""
        with contextlib.suppress(OSError):
            os.write(self._out, json.dumps(facts).encode() + b"\n")


def _end_with(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        os.read(descriptor, 1)
    os._exit(1)
