"""docs/writing-an-engine.md: its test runs an installed engine; the families and the failure are those of the kit."""

import re
import subprocess
import sys
from pathlib import Path

from gateway.testing import engine_checks
from gateway.testing.engine.log import append
from gateway.testing.engine.under_test import sqlite
from tests.docs.readme import ROOT, blocks, section

PAGE = (ROOT / "docs" / "writing-an-engine.md").read_text("utf-8")
SHELF = """
from gateway.storage.sqlite.store import open_store as open_sqlite

def open_store(url):
    return open_sqlite(url.replace("shelf:", "sqlite:"))
"""


def install(folder: Path) -> None:
    """Make a distribution with the entry point that the page shows."""
    [entry_point] = blocks("ini", PAGE)
    metadata = folder / "shelf_engine-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: shelf-engine\nVersion: 1.0\n")
    [line] = re.findall(r"^ +(\w+ = .+)$", entry_point, re.MULTILINE)
    (metadata / "entry_points.txt").write_text(f"[gateway.storage]\n{line}\n")
    (folder / "shelf_engine.py").write_text(SHELF)


def test_its_test_runs_the_checks_of_an_installed_engine(tmp_path: Path) -> None:
    install(tmp_path / "installed")
    [test] = blocks("python", PAGE)
    (tmp_path / "test_engine.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-k", "append", "test_engine.py"]
    path = f"{tmp_path / 'installed'}:{ROOT}"
    done = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": path}, capture_output=True, text=True, check=False)
    expected = len([each for each in engine_checks(sqlite()) if "append" in each.name])
    assert (done.returncode, re.findall(r"(\d+) passed", done.stdout)) == (0, [str(expected)]), done.stdout


def test_it_names_every_family() -> None:
    families = {check.name.partition("/")[0].split()[0] for check in engine_checks(sqlite())}
    named = re.findall(r"`(?:-k )?([a-z]+)`", section("Checking it", PAGE))
    assert set(named) & families == families


def test_its_failure_is_one_of_the_kit() -> None:
    [shown] = blocks("text", PAGE)
    remedies = {promise.remedy for promise in append.FAMILY.promises}
    assert " ".join(shown.partition("To do: ")[2].split()) in remedies
