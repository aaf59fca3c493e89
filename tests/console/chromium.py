"""A real browser: headless Chromium, driven by tests/console/browser.mjs. One for all tests of a session."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from tests.sdk import programs

DRIVER = Path(__file__).parent / "browser.mjs"
PHONE, DESK = (360, 740), (1280, 800)


@attrs.frozen
class Chromium:
    """A browser's one page. Each command is one of browser.mjs; it fails where that fails, after 20 seconds at most."""

    process: "subprocess.Popen[str]"

    def do(self, command: str, *arguments: object) -> Any:
        """Run a command, and return what it gives."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([command, *arguments]) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "failed" not in answer, answer["failed"]
        return answer["done"]

    def open(self, size: tuple[int, int] = DESK, colours: str = "light", *, scripts: bool = True) -> None:
        """Begin with a new profile."""
        self.do("open", *size, colours, scripts)

    def goto(self, url: str) -> int:
        """Open an address; return the status of its answer."""
        return int(self.do("goto", url))

    def log_in(self, url: str, link: str) -> None:
        """Log in by a one-time link, the way a person does."""
        self.goto(f"{url}/login?link={link}")
        self.do("follow", "main button")


@contextlib.contextmanager
def running() -> Iterator[Chromium]:
    """Start the browser, and end it afterwards."""
    programs.install()
    command = [programs.found("node"), str(DRIVER), programs.found(*programs.CHROMIUM), str(programs.MODULES / "x.js")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Chromium(process)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(programs.PATIENCE)
