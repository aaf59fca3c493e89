"""Runs the real `gateway` command for tests: a server on loopback, its command line beside it, bounded in time."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

GATEWAY = [sys.executable, "-m", "gateway"]
PATIENCE = 30
TAKEN_UP = 2.0  # what is promised: a key works within two seconds of being added


def run(
    *arguments: str, env: Mapping[str, str] | None = None, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one `gateway` command to its end."""
    return subprocess.run(
        [*GATEWAY, *arguments],
        capture_output=True,
        text=True,
        input=stdin,
        timeout=PATIENCE,
        env={**os.environ, **(env or {})},
        check=False,
    )


@attrs.define
class Served:
    """A running gateway: its address, its data directory, and what it said before it was ready."""

    url: str
    data: Path
    process: subprocess.Popen[str]
    greeting: str
    env: Mapping[str, str]

    def cli(self, *arguments: str, stdin: str | None = None) -> str:
        """Run a command on the server's data directory; return what it printed."""
        done = run(*arguments, "--data", str(self.data), env=self.env, stdin=stdin)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def add_key(self, dialect: str, kind: str, *arguments: str, project: str = "default") -> str:
        """Add a credential and return its value, once the running server has taken it up."""
        named = ("--project", project, "--dialect", dialect, "--kind", kind, "--json")
        added = json.loads(self.cli("keys", "add", *named, *arguments))
        time.sleep(TAKEN_UP)
        return str(added["value"])

    def events(self) -> list[dict[str, Any]]:
        """Return every stored event."""
        return [json.loads(line) for line in self.cli("events", "export", "--format", "jsonl").splitlines()]

    def stop(self) -> int:
        """Ask the server to end as an init system would; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@contextlib.contextmanager
def serving(data: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Iterator[Served]:
    """Start `gateway serve` on a free port of loopback and stop it afterwards, whatever happened."""
    log = data.parent / f"{data.name}.stderr"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [*GATEWAY, "serve", "--data", str(data), "--host", "127.0.0.1", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env={**os.environ, **(env or {})},
        )
    assert process.stdout is not None
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("http://"):
                break
        else:
            raise AssertionError(f"the gateway ended before it was ready: {log.read_text()}")
        yield Served(said[-1].strip(), data, process, "".join(said), env or {})
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE)
        process.stdout.close()
