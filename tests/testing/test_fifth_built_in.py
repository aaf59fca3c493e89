"""One more built-in dialect edits no file outside its folders but setup.cfg, and is in the tests of all dialects."""

import configparser
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

from tests.docs.readme import ROOT

OVERLAY = Path(__file__).parent / "fifth"
OWN = (
    *("dialects/quill/", "jsonschemas/quill/", "tests/corpus/quill/", "tests/dialects/quill/"),
    "docs/contracts/quill.md",
)
TREE = ("gateway", "dialects", "jsonschemas", "tests", "docs", "examples", ".ci")
BESIDE = ("setup.cfg", "pyproject.toml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE")
LISTED_AFTER, LINE = "    browsee = dialects.browsee:dialect\n", "    quill = dialects.quill:dialect\n"
TABLES = ("test_contracts", "test_events_page", "test_gateway_toml", "test_kinds", "test_links", "test_structure")
"""Modules that compare what is written with what is there: all of their tests are run."""
MODULES = (
    *("docs/test_architecture.py", "docs/test_gateway_toml.py", "docs/test_links.py", "docs/test_readme.py"),
    *("ingest/test_privacy.py", "ingest/test_strangers.py", "operate/openapi/test_document.py"),
    *("operate/openapi/test_promises.py", "property/test_schemas.py"),
    *("dialects/test_conformance.py", "test_contracts.py", "test_events_page.py", "test_kinds.py", "test_structure.py"),
)
CHOSEN = f"(quill or first_start or asked_for_privacy or those_dialects or {' or '.join(TABLES)}) and not postgres"
INSTALLED_AS = "Metadata-Version: 2.1\nName: event-gateway\nVersion: 0\n"


def with_quill(copy: Path) -> None:
    """Make a copy of this tree, with Quill among the dialects that come with the gateway, as if it was installed."""
    for name in TREE:
        ignored = shutil.ignore_patterns("__pycache__", "node_modules", "upgrade", "fifth")
        shutil.copytree(ROOT / name, copy / name, ignore=ignored)
    for name in BESIDE:
        shutil.copy(ROOT / name, copy / name)
    shutil.copytree(OVERLAY, copy, dirs_exist_ok=True)
    setup = copy / "setup.cfg"
    before = setup.read_text("utf-8")
    setup.write_text(before.replace(LISTED_AFTER, LISTED_AFTER + LINE), "utf-8")
    metadata = copy / "event_gateway-0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(INSTALLED_AS, "utf-8")
    parser = configparser.ConfigParser()
    parser.read(setup, "utf-8")
    groups = [f"[{group}]{lines}\n" for group, lines in parser["options.entry_points"].items()]
    (metadata / "entry_points.txt").write_text("".join(groups), "utf-8")


def test_a_further_built_in_edits_only_setup_cfg_and_is_in_the_tests_of_all_dialects(tmp_path: Path) -> None:
    brought = [file.relative_to(OVERLAY).as_posix() for file in OVERLAY.rglob("*") if file.is_file()]
    assert [file for file in brought if not file.startswith(OWN) and "__pycache__" not in file] == []
    copy, report = tmp_path / "copy", tmp_path / "report.xml"
    with_quill(copy)
    options = ("-n0", "-p", "no:cacheprovider", f"--junitxml={report}", "-k", CHOSEN)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *(f"tests/{module}" for module in MODULES)],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        text=True,
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    cases = [(str(each.get("classname")), str(each.get("name"))) for each in ElementTree.parse(report).iter("testcase")]
    assert [module for module in MODULES if not names_in(module, cases)] == []
    without_quill = [module for module in MODULES if not any("quill" in name for name in names_in(module, cases))]
    assert without_quill == ["docs/test_gateway_toml.py", "test_contracts.py", "test_kinds.py"]


def names_in(module: str, cases: Iterable[tuple[str, str]]) -> list[str]:
    """Return the names of the tests of a module that ran."""
    classname = "tests." + module.removesuffix(".py").replace("/", ".")
    return [name for each, name in cases if each == classname]
