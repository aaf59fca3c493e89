"""The programs beside Python that these tests run: finds them, installs the npm packages once, runs the drivers."""

import fcntl
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import attrs
import pytest

HERE = Path(__file__).parent
DRIVERS = HERE / "drivers"
MODULES = HERE / "node_modules"
INSTALL = (
    *("--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps", "--loglevel=error"),
    *("--prefer-offline", "--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=60000"),
)
"""With the last line, npm asks no registry for what is in its cache, and fails within seconds without a network."""

PATIENCE = 60
Drive = Callable[[str, object], Any]
Bundled = Callable[..., bytes]
CHROMIUM = ("chromium-headless-shell", "chromium")
"""Chromium without windows opens a page in a quarter of the time, and rests while nothing happens."""

APT = {"node": "nodejs", "npm": "npm", "chromium-headless-shell": "chromium-headless-shell", "curl": "curl"}


def found(*names: str) -> str:
    """Return where a program is, by the first of its names that is there; skip the test that needs it if none is."""
    for name in names:
        if path := shutil.which(name):
            return path
    # For whoever runs the tests without it; .ci/run installs it, and fails on any skip.
    pytest.skip(f"{names[0]} is not installed (apt-get install {APT[names[0]]})")


def install() -> None:
    """Install what package.json names, once for all workers and runs in this tree: the others wait for the first."""
    npm, stamp = found("npm"), MODULES / ".installed"
    with (HERE / "package.json").open("r", encoding="utf-8") as listed:
        fcntl.flock(listed, fcntl.LOCK_EX)
        wanted = listed.read()
        if stamp.exists() and stamp.read_text("utf-8") == wanted:
            return
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "package.json").write_text(wanted, "utf-8")
            done = subprocess.run(
                [npm, "install", *INSTALL], cwd=folder, capture_output=True, text=True, timeout=180, check=False
            )
            assert done.returncode == 0, f"npm cannot install {listed.name} (is there a network?):\n{done.stderr}"
            shutil.rmtree(MODULES, ignore_errors=True)
            shutil.move(Path(folder) / "node_modules", MODULES)
        stamp.write_text(wanted, "utf-8")


def drive(driver: str, given: object) -> Any:
    """Run a driver with its instructions on standard input; return what it printed."""
    done = subprocess.run(
        [found("node"), DRIVERS / driver],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@attrs.frozen
class Visit:
    """What a page told, what it said on its console, and what it sent beyond its own origin."""

    told: list[Any]
    said: list[str]
    sent: list[dict[str, Any]]


class Open(Protocol):
    """Opens a page, calls functions that its script has put on `window.page`, and leaves it in the way named."""

    def __call__(self, address: str, *calls: tuple[str, object], leave: str | None = None) -> Visit: ...
