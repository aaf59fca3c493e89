"""The README's first command, typed in a fresh copy of the tree: what it installs, and that it serves."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
import pytest

from gateway.ingest.registry import discover
from tests.docs.expectations import PATIENCE
from tests.docs.readme import FIRST_SCREEN, ROOT, blocks, code, described, entries, paste, tried

PACKAGES = ("gateway", "dialects", "jsonschemas")
SHIPPED = {".py", ".json", ".js", ".typed"}
INSTALLED = 120  # seconds within which the command serves, on a slow machine


@attrs.frozen
class Typed:
    """The copy of the tree, the environment that the command was typed in, and what was said until it served."""

    copy: Path
    environ: Mapping[str, str]
    said: str


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Typed]:
    """Type the first command in a fresh copy of the tree; go on when it serves.

    Dependencies are those that are here already: that pip finds them, the second command shows.
    """
    copy = tmp_path_factory.mktemp("fresh") / "copy"
    copy.mkdir()
    for name in ("setup.cfg", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, copy)
    for name in (*PACKAGES, "tests", "examples"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    environ = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path.endswith("site-packages")),
        "PIP_NO_DEPS": "1",
        "GATEWAY_PORT": "0",
    }
    log = copy.parent / "log"
    with log.open("w") as output:
        command = ["sh", "-c", blocks("sh", FIRST_SCREEN)[0]]
        process = subprocess.Popen(
            command, cwd=copy, env=environ, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        deadline = time.monotonic() + INSTALLED
        while not re.search("^http://.*\n", said := log.read_text(), re.MULTILINE):
            if "No matching distribution found for setuptools" in said:
                # A machine without any index says nothing of the command; .ci/run has one, and fails on any skip.
                pytest.skip("pip finds no setuptools: there is no package index here")
            assert process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.2)
        yield Typed(copy, environ, said)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)


def test_the_first_command_installs_and_starts(typed: Typed) -> None:
    [export] = [each for each in code(FIRST_SCREEN) if " events export " in each]
    for line in tried(typed.said):
        assert paste(line).returncode == 0
    events = [json.loads(line) for line in paste(export, typed.copy, typed.environ).stdout.splitlines()]
    assert sorted(event["dialect"] for event in events) == sorted(dialect.name for dialect in discover())


def test_the_wheel_has_all_that_is_needed_and_no_tests(typed: Typed) -> None:
    [site] = (typed.copy / ".venv" / "lib").glob("python*/site-packages")
    expected = {file for name in PACKAGES for file in (typed.copy / name).rglob("*") if file.suffix in SHIPPED}
    installed = {file for name in (*PACKAGES, "tests") for file in (site / name).rglob("*") if file.suffix in SHIPPED}
    assert {file.relative_to(site) for file in installed} == {file.relative_to(typed.copy) for file in expected}
    [entry_points] = site.glob("event_gateway-*.dist-info/entry_points.txt")
    assert entries(entry_points.read_text()) == {
        section: dict(pair.split(" = ") for pair in lines.split("\n") if pair)
        for section, lines in described()["options.entry_points"].items()
    }
