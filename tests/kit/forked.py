"""Runs `gateway` commands as forks of a process that has imported them: in a tenth of the time that a new Python takes.

Each command is a process of its own, with its own environment, descriptors and exit code, as from a shell.
"""

import multiprocessing
import multiprocessing.process
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from gateway.cli.main import main

FORKS = multiprocessing.get_context("forkserver")
# With what a command imports only when it needs it: in each fork that would take three times as long as all the rest.
FORKS.set_forkserver_preload(
    [
        *(__name__, "pytest", "gateway.serve", "gateway.storage.sqlite.store", "gateway.storage.postgres.store"),
        *(f"dialects.{name}" for name in ("appizer", "browsee", "databuddy", "tranthor")),
    ]
)
STREAMS = ("stdin", "stdout", "stderr")


def start(arguments: Sequence[str], environ: Mapping[str, str], folder: Path) -> multiprocessing.process.BaseProcess:
    """Start one command, and return its process; it reads and writes the files `stdin`, `stdout`, `stderr` of a folder.

    They are emptied first. With an `LD_PRELOAD` in `environ` it is a new Python after all. The caller joins it.
    """
    for stream in STREAMS:
        (folder / stream).write_text("", "utf-8")
    process = FORKS.Process(target=_command, args=(arguments, dict(environ), os.getcwd(), folder))
    process.start()
    return process


def run(
    arguments: Sequence[str], environ: Mapping[str, str], stdin: str, patience: float
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, in this process's directory. Raises TimeoutExpired after `patience` seconds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for stream, text in zip(STREAMS, (stdin, "", ""), strict=True):
            (folder / stream).write_text(text, "utf-8")
        process = FORKS.Process(target=_command, args=(arguments, dict(environ), os.getcwd(), folder))
        process.start()
        try:
            process.join(patience)
            if process.exitcode is None:
                process.kill()
                process.join()
                raise subprocess.TimeoutExpired(list(arguments), patience)
            printed = [(folder / stream).read_text("utf-8") for stream in STREAMS[1:]]
            return subprocess.CompletedProcess(list(arguments), process.exitcode, *printed)
        finally:
            process.close()


def _command(arguments: Sequence[str], environ: Mapping[str, str], directory: str, folder: Path) -> None:
    for descriptor, stream in enumerate(STREAMS):
        os.dup2(os.open(folder / stream, os.O_RDWR), descriptor)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", buffering=1)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environ)
    if "LD_PRELOAD" in environ:
        os.execve(sys.executable, [sys.executable, "-m", "gateway", *arguments], environ)
    main(list(arguments), prog_name="python -m gateway")
