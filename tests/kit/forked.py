"""Runs `gateway` commands as forks of a process that has imported them: in a tenth of the time that a new Python takes.

Each command is a process of its own, with its own environment, descriptors and exit code, as from a shell.
"""

import contextlib
import multiprocessing
import multiprocessing.process
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path

import attrs

from gateway.cli.main import main
from gateway.ingest.registry import GROUP

FORKS = multiprocessing.get_context("forkserver")
# With what a command imports only when it needs it: in each fork that would take three times as long as all the rest.
FORKS.set_forkserver_preload(
    [
        *(__name__, "pytest", "gateway.serve", "gateway.storage.sqlite.store", "gateway.storage.postgres.store"),
        *(point.module for point in entry_points(group=GROUP)),
    ]
)
STREAMS = ("stdin", "stdout", "stderr")
AT_START = ("LD_PRELOAD", "PYTHONPATH")
"""What only a new Python reads: where these differ from those of the process that is forked, a command is one."""


@attrs.frozen
class Command:
    """A running command, with what tests use of Popen."""

    _process: multiprocessing.process.BaseProcess

    @property
    def pid(self) -> int:
        """The number of the process."""
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code once it has ended. Raises TimeoutExpired."""
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0.0)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL, if it still runs."""
        self.send_signal(signal.SIGKILL)


def start(
    arguments: Sequence[str],
    environ: Mapping[str, str],
    folder: Path,
    *,
    stderr: Path | None = None,
    new_python: bool = False,
) -> Command:
    """Start one command, for the caller to wait for; it reads and writes the files `stdin`, `stdout` and `stderr` of a
    folder, which are emptied first. `stderr` may be another file.

    As a new Python it starts with no more memory than a user's does.
    """
    files = (folder / "stdin", folder / "stdout", stderr or folder / "stderr")
    for file in files:
        file.write_text("", "utf-8")
    return Command(_started(arguments, environ, files, new_python=new_python))


def run(
    arguments: Sequence[str], environ: Mapping[str, str], stdin: str, patience: float
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, in this process's directory. Raises TimeoutExpired after `patience` seconds."""
    with tempfile.TemporaryDirectory() as name:
        files = tuple(Path(name) / stream for stream in STREAMS)
        for file, text in zip(files, (stdin, "", ""), strict=True):
            file.write_text(text, "utf-8")
        process = _started(arguments, environ, files)
        try:
            process.join(patience)
            if process.exitcode is None:
                process.kill()
                process.join()
                raise subprocess.TimeoutExpired(list(arguments), patience)
            printed = [file.read_text("utf-8") for file in files[1:]]
            return subprocess.CompletedProcess(list(arguments), process.exitcode, *printed)
        finally:
            process.close()


def _started(
    arguments: Sequence[str], environ: Mapping[str, str], files: Sequence[Path], *, new_python: bool = False
) -> multiprocessing.process.BaseProcess:
    process = FORKS.Process(target=_command, args=(arguments, dict(environ), os.getcwd(), files, new_python))
    process.start()
    return process


def _command(
    arguments: Sequence[str], environ: Mapping[str, str], directory: str, files: Sequence[Path], new_python: bool
) -> None:
    for descriptor, file in enumerate(files):
        os.dup2(os.open(file, os.O_RDWR), descriptor)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", buffering=1)
    os.chdir(directory)
    new_python = new_python or any(os.environ.get(name) != environ.get(name) for name in AT_START)
    os.environ.clear()
    os.environ.update(environ)
    if new_python:
        os.execve(sys.executable, [sys.executable, "-m", "gateway", *arguments], environ)
    main(list(arguments), prog_name="python -m gateway")
