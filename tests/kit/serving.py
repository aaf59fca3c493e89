"""Runs the real `gateway` command for tests: a server on loopback, its command line beside it, bounded in time."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import requests

from gateway.storage.sqlite.keys.key_file import KeyFile
from tests.kit import forked

GATEWAY = [sys.executable, "-m", "gateway"]
PATIENCE = 30
TAKEN_UP = 2.0  # seconds: what is promised of a key that is added while a server runs
POLL = 0.05  # seconds
LAST_POSITION = re.compile(r"\Alast position: [0-9]+(?:-[0-9]+)?\n\Z")  # what an export says when it is complete
URLS = ("http://", "https://", "unix:")  # how the last line begins
START_POLL = 0.01  # seconds
START_PATIENCE = 120  # seconds: on a busy machine several new Pythons take long


def run(
    *arguments: str, env: Mapping[str, str] | None = None, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one `gateway` command to its end."""
    return forked.run(arguments, {**os.environ, **(env or {})}, stdin or "", PATIENCE)


def place_of(store: Path | str) -> tuple[str, str]:
    """Return the options that name a store: a data directory, or one by its URL."""
    return ("--data", str(store)) if isinstance(store, Path) else ("--storage", store)


def add_key(store: Path | str, dialect: str, kind: str, value: str, *options: str, project: str = "shop") -> None:
    """Add a credential to a store that no gateway serves yet: a directory, or one by its URL."""
    if isinstance(store, Path):
        store.mkdir(mode=0o700, exist_ok=True)
    named = ("--project", project, "--dialect", dialect, "--kind", kind, "--value", value)
    done = run("keys", "add", *place_of(store), *named, *options)
    assert (done.returncode, done.stderr) == (0, "")


@attrs.define
class Served:
    """A running gateway: its address, its store, and what it said before it was ready.

    `place` are the options that name the store. With a database, there is nothing in `data`. `stdout` is the file of
    all that it printed.
    """

    url: str
    data: Path
    place: tuple[str, ...]
    process: forked.Command
    greeting: str
    env: Mapping[str, str]
    arguments: tuple[str, ...]
    stdout: Path

    def cli(self, *arguments: str, stdin: str | None = None) -> str:
        """Run a command on the server's store; return what it printed."""
        done = run(*arguments, *self.place, env=self.env, stdin=stdin)
        assert (done.returncode, LAST_POSITION.sub("", done.stderr)) == (0, "")
        return done.stdout

    def add_key(self, dialect: str, kind: str, *arguments: str, project: str = "default") -> str:
        """Add a credential and return its value, once the server accepts it. Replaces the admin token."""
        named = ("--project", project, "--dialect", dialect, "--kind", kind, "--json")
        added = json.loads(self.cli("keys", "add", *named, *arguments))
        if "--workers" in self.arguments:
            time.sleep(TAKEN_UP)  # each worker follows the file by itself
        elif "--storage" in self.place:
            self.wait_for_token(self.cli("admin-token").strip())
        else:
            # A server reads credentials and admin token together; of the two, only a token can be tried unseen.
            with KeyFile.open(self.data / "keys.db") as file:
                self.wait_for_token(file.new_admin_token())
        return str(added["value"])

    def wait_for_token(self, token: str) -> None:
        """Return once the server accepts an admin token."""
        deadline = time.monotonic() + PATIENCE
        while self._status_of(token) == 401:
            assert time.monotonic() < deadline, "the server does not accept the admin token"
            time.sleep(POLL)

    def _status_of(self, token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return requests.get(f"{self.url}/-/receipts/0", headers=headers, timeout=PATIENCE).status_code

    def events(self) -> list[dict[str, Any]]:
        """Return every stored event."""
        return [json.loads(line) for line in self.cli("events", "export", "--format", "jsonl").splitlines()]

    def stop(self) -> int:
        """Ask the server to end as an init system would; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@contextlib.contextmanager
def serving(
    data: Path,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    storage: str | None = None,
    new_python: bool = False,
    hosts: Sequence[str] = ("127.0.0.1",),
) -> Iterator[Served]:
    """Start `gateway serve` on a free port of loopback, or of other `hosts`, and stop it afterwards, whatever happened.

    `storage` is the URL of a store in place of the directory `data`, whose name then is only that of the log file. A
    test that measures the server's memory wants a `new_python`, as a user's is.
    """
    log = data.parent / f"{data.name}.stderr"
    place = place_of(data if storage is None else storage)
    named = [option for host in hosts for option in ("--host", host)]
    command = ("serve", *place, *named, "--port", "0", *arguments)
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "stdout"
        process = forked.start(command, {**os.environ, **(env or {})}, Path(folder), stderr=log, new_python=new_python)
        try:
            greeting = _greeting(process, said, log)
            url = greeting.splitlines()[-1]
            yield Served(url, data, place, process, greeting, env or {}, arguments, said)
        finally:
            process.kill()
            process.wait(PATIENCE)


def _greeting(process: forked.Command, said: Path, log: Path) -> str:
    """Return what a gateway says before it serves, its address in the last line."""
    deadline = time.monotonic() + START_PATIENCE
    while True:
        ended = process.poll() is not None
        text = said.read_text("utf-8")
        if text.endswith("\n") and text.splitlines()[-1].startswith(URLS):
            return text
        assert not ended, f"the gateway ended before it was ready: {log.read_text('utf-8')}"
        assert time.monotonic() < deadline, f"the gateway does not start: {log.read_text('utf-8')}"
        time.sleep(START_POLL)
