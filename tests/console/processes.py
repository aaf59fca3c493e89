"""Real processes of the console: as the child of a server, and alone."""

import contextlib
import os
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import requests

from tests.kit.serving import GATEWAY, PATIENCE
from tests.workers.crowd import stat, until

LINK = re.compile(r"^  (http://\S+)/login\?link=(\S+)$", re.MULTILINE)
MODULE = "gateway.console.process"


def free_port() -> int:
    """Return a port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def console_of(pid: int) -> int | None:
    """Return the process id of the console that a server has started."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and (parts := stat(int(process.name))) and int(parts[1]) == pid:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if MODULE in (process / "cmdline").read_bytes().decode().split("\0"):
                    return int(process.name)
    return None


def answers(url: str) -> bool:
    """Return whether a console answers there."""
    try:
        return requests.get(f"{url}/login", timeout=PATIENCE).status_code == 200
    except requests.ConnectionError:
        return False


def logged_in(url: str, **secret: str) -> requests.Session:
    """Return a browser that is logged in by a `link` or a `token`."""
    browser = requests.Session()
    answer = browser.post(f"{url}/login", data=secret, timeout=PATIENCE, allow_redirects=False)
    assert answer.status_code == 303, answer.text
    return browser


@attrs.frozen
class Alone:
    """A console without a server of its own."""

    url: str
    said: str
    process: subprocess.Popen[str]
    log: Callable[[], str]


@contextlib.contextmanager
def alone(folder: Path, *arguments: str) -> Iterator[Alone]:
    """Start `gateway console` and stop it afterwards."""
    log = folder / "console.stderr"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [*GATEWAY, "console", *arguments], stdout=subprocess.PIPE, stderr=stderr, text=True, env={**os.environ}
        )
    assert process.stdout is not None
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("http://"):
                break
        else:
            raise AssertionError(f"the console ended before it was ready: {log.read_text()}")
        yield Alone(said[-1].strip(), "".join(said), process, log.read_text)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE)
        process.stdout.close()


__all__ = ["LINK", "Alone", "alone", "answers", "console_of", "free_port", "logged_in", "stat", "until"]
