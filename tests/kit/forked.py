"""Runs `gateway` commands as forks of a process that has imported them: in a tenth of the time that a new Python takes.

Each command is a process of its own, with its own environment, descriptors and exit code, as from a shell.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from gateway.cli.main import main

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__, "pytest"])
STREAMS = ("stdin", "stdout", "stderr")


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
    main(list(arguments), prog_name="python -m gateway")
