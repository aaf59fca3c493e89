"""The README's promises, taken from its own text: what it tells a person to type is typed, what it lists is compared."""

import configparser
import itertools
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gateway.cli import main
from gateway.registry import discover, install
from tests.examples.told import PATIENCE, curl_agent, whole
from tests.serving import run, serving

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
FIRST_SCREEN = "\n".join(README.splitlines()[:40])
PACKAGES = ("gateway", "dialects", "jsonschemas")
SHIPPED = {".py", ".json", ".js", ".typed"}


def blocks(language: str, text: str = README) -> list[str]:
    """Return what stands in fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def section(title: str) -> str:
    """Return what stands under a heading."""
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """Return a table's cells, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def code(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def described() -> configparser.ConfigParser:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", "utf-8")
    return setup


def requirements(text: str) -> set[str]:
    return {re.split(r"[<>=~!\[; ]", line)[0] for line in text.split()}


# The first screen


def test_the_first_screen_has_two_commands_each_on_one_line() -> None:
    install_and_start, install_and_test = blocks("sh", FIRST_SCREEN)
    assert [command.count("\n") for command in (install_and_start, install_and_test)] == [1, 1]
    assert install_and_start.startswith("python3 -m venv ")
    assert "/gateway serve " in install_and_start
    assert install_and_test.startswith("python3 -m venv ")
    assert install_and_test.endswith("/pytest\n")


def test_ci_finds_the_test_command_and_it_alone() -> None:
    assert "sed -n '/^python3 -m venv .*pytest/p' README.md" in (ROOT / ".ci" / "run").read_text("utf-8")
    found = [line for line in README.splitlines() if re.match("python3 -m venv .*pytest", line)]
    assert found == [blocks("sh", FIRST_SCREEN)[1].strip()]


def test_the_first_screen_says_that_https_needs_a_proxy_and_where_one_is() -> None:
    assert "https" in FIRST_SCREEN
    assert "(examples/nginx.conf)" in FIRST_SCREEN


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """Type the first command in a fresh copy of the tree; give the copy and what was printed.

    Dependencies are those that are here already: that they can be had from an index, the second command shows.
    """
    copy = tmp_path_factory.mktemp("fresh") / "copy"
    copy.mkdir()
    for name in ("setup.cfg", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, copy)
    for name in (*PACKAGES, "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    environ = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path.endswith("site-packages")),
        "PIP_NO_DEPS": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "GATEWAY_PORT": "0",
    }
    process = subprocess.Popen(
        ["sh", "-c", blocks("sh", FIRST_SCREEN)[0]],
        cwd=copy,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    watchdog = subprocess.Popen(["sleep", "1"])  # replaced below
    watchdog.wait()
    assert process.stdout is not None
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("http://"):
                break
        yield copy, "".join(said)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=PATIENCE)
