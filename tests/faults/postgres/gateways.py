"""One gateway on a database, as a process of its own: started, killed, stopped, started again. No load here."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs

from tests.faults.lives import TRACEBACK
from tests.kit import forked
from tests.kit.serving import LAST_POSITION, run

PATIENCE = 30  # seconds
POLL = 0.01  # seconds


@attrs.define
class Gateway:
    """A `gateway serve`. `url` is where it listens in its present life, `greeting` all that it said at that start.

    `folder` is its own; what it wrote to stderr in its present life lies there. `env` is added to its environment.
    """

    storage: str
    folder: Path
    env: Mapping[str, str] = attrs.field(factory=dict)
    url: str = ""
    greeting: str = ""
    _process: forked.Command | None = None

    def start(self) -> None:
        """Start it; return when it serves. Raises AssertionError, with what it said, if it ends instead."""
        self.begin()
        self.wait_until_ready()

    def begin(self, *arguments: str) -> None:
        """Start it, and do not wait."""
        self.folder.mkdir(exist_ok=True)
        command = ("serve", "--storage", self.storage, "--host", "127.0.0.1", "--port", "0", *arguments)
        self._process = forked.start(command, {**os.environ, **self.env}, self.folder)

    def wait_until_ready(self) -> None:
        """Return when it serves. Raises AssertionError, with what it said, if it ends instead."""
        deadline = time.monotonic() + PATIENCE
        while not (lines := self._printed()) or not lines[-1].startswith("http://"):
            assert self.process.poll() is None, f"the gateway ended before it was ready: {self.log}"
            assert time.monotonic() < deadline, f"the gateway does not start: {self.log}"
            time.sleep(POLL)
        self.url, self.greeting = lines[-1].strip(), "".join(lines)

    def _printed(self) -> list[str]:
        text = (self.folder / "stdout").read_text("utf-8")
        return text.splitlines(keepends=True) if text.endswith("\n") else []

    @property
    def process(self) -> forked.Command:
        """The process of its present life."""
        assert self._process is not None, "it was never started"
        return self._process

    @property
    def log(self) -> str:
        """What it wrote to stderr in its present life."""
        return (self.folder / "stderr").read_text("utf-8", "replace")

    def runs(self) -> bool:
        """Return whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End it by SIGKILL."""
        self.process.kill()
        self.end()

    def end(self) -> int:
        """Return its exit code once it has ended."""
        code = self.process.wait(PATIENCE)
        assert TRACEBACK not in self.log, self.log[self.log.index(TRACEBACK) :][:4000]
        return code

    def stop(self) -> int:
        """Ask it to end as an init system would; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.end()

    @contextlib.contextmanager
    def hanging(self) -> Iterator[None]:
        """Keep it from running meanwhile (SIGSTOP)."""
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)

    def cli(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        """Run a command on its store; return what it printed."""
        done = run(*arguments, "--storage", self.storage, env=env)
        assert (done.returncode, LAST_POSITION.sub("", done.stderr)) == (0, "")
        return done.stdout


@contextlib.contextmanager
def gateways(folder: Path, *storages: str) -> Iterator[list[Gateway]]:
    """Start a gateway on each of these URLs, one after the other; afterwards none is left, whatever happened."""
    made = [Gateway(storage, folder / f"gateway-{number}") for number, storage in enumerate(storages)]
    try:
        for each in made:
            each.start()
        yield made
    finally:
        for each in made:
            if each.runs():
                each.kill()
