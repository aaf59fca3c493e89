"""One server process under a keeper (keeper.py): started, signalled, waited for, and never left behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import attrs

from gateway.testing.postgres import keeper

PATIENCE = 30  # seconds


@attrs.frozen
class Kept:
    """A running command. `pid` is the command's, not the keeper's."""

    pid: int
    keeper: subprocess.Popen[str]

    @classmethod
    def start(cls, command: Sequence[str | Path], folder: Path, log: Path, user: int | None) -> "Kept":
        """Run a command in a folder, as another user where one is given; what it prints goes to a file."""
        given = ["-" if user is None else str(user), str(folder), str(log), *map(str, command)]
        process = subprocess.Popen(
            [sys.executable, "-IS", keeper.__file__, *given],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the process of the checks, which then ends it
        )
        assert process.stdout is not None
        with process.stdout as printed:
            return cls(int(printed.readline()), process)

    def runs(self) -> bool:
        """Return whether the command, or anything that came of it, still runs."""
        return self.keeper.poll() is None

    def family(self) -> list[int]:
        """Return the pids of the command and of all processes below it, parents first."""
        return list(keeper.descendants(self.keeper.pid))

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the command alone."""
        os.kill(self.pid, number)

    def end(self, number: signal.Signals) -> None:
        """Send a signal that ends the command; return when nothing of it is left. Raises TimeoutExpired."""
        if self.runs():
            self.send(number)
        self.wait()

    def wait(self) -> int:
        """Return the command's exit code when nothing of it is left: 128 and more for a signal.

        Raises TimeoutExpired after 30 seconds, and then kills all.
        """
        assert self.keeper.stdin is not None
        try:
            return self.keeper.wait(PATIENCE)
        finally:
            self.keeper.stdin.close()
            self.keeper.wait(PATIENCE)
