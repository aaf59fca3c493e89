"""docs/architecture.md names files, functions, rooms and imports: all of them are as it says."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.docs.readme import ROOT, code, rows
from tests.test_structure import ALLOWED, INSIDE_POSTGRES, INSIDE_SQLITE, INSIDE_STORAGE, OLD_NAMES, VENDORS

PAGE = ROOT / "docs" / "architecture.md"
TEXT = PAGE.read_text("utf-8")
MODULE = re.compile(r"\[([^\]]+)\]\(([^)]+\.py)\)((?:(?:,| and)?\s`[\w.]+`)*)")
"""A link to a module, and the names from it that follow: [pipeline.py](../gateway/ingest/pipeline.py) `Pipeline`."""


def section(title: str) -> str:
    """Return what stands under a heading of any level, up to the next heading of its level or a higher one."""
    level, rest = re.findall(rf"^(#+) {re.escape(title)}\n(.*)", TEXT, re.MULTILINE | re.DOTALL)[0]
    return str(re.split(rf"^#{{2,{len(level)}}} ", rest, flags=re.MULTILINE)[0])


def steps() -> list[str]:
    """Return the numbered steps of the path of an event."""
    return re.split(r"^\d+\. ", section("The path of an event"), flags=re.MULTILINE)[1:]


def named() -> Iterator[tuple[Path, str]]:
    """Yield each file that the page links to, with each name that it says is in there."""
    for text, link, names in MODULE.findall(TEXT):
        file = (PAGE.parent / link).resolve()
        if text.isidentifier():
            yield file, text
        for name in re.findall(r"`([\w.]+)`", names):
            yield file, name


def defined(body: Iterable[ast.stmt], above: str = "") -> Iterator[str]:
    """Yield the names of a module's functions, classes, their members and variables, as `Class.method`."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield above + node.name
        if isinstance(node, ast.ClassDef):
            yield from defined(node.body, f"{above}{node.name}.")
        if isinstance(node, ast.Assign):
            yield from (above + target.id for target in node.targets if isinstance(target, ast.Name))
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield above + node.target.id


def imports(title: str) -> dict[str, set[str]]:
    """Return the table of imports under a heading."""
    [table] = re.findall(r"(?:^\|.*\n)+", section(title).partition("\n#")[0], re.MULTILINE)
    return {code(room)[0]: set(code(allowed)) for room, _, allowed in rows(table)}


def test_every_name_is_defined_in_the_file_that_it_is_said_to_be_in() -> None:
    missing = [
        f"{file.relative_to(ROOT)} has no {name}"
        for file, name in named()
        if name not in set(defined(ast.parse(file.read_text("utf-8")).body))
    ]
    assert missing == []


def test_a_link_to_a_module_has_its_name() -> None:
    wrong = [
        f"[{text}]({link})"
        for text, link, _ in MODULE.findall(TEXT)
        if not text.isidentifier() and not link.endswith(f"/{text}")
    ]
    assert wrong == []


def test_every_step_of_the_path_names_a_file_and_a_function_of_it() -> None:
    assert len(steps()) >= 15
    assert [step for step in steps() if not any(names for _, _, names in MODULE.findall(step))] == []


@pytest.mark.parametrize(
    ("title", "allowed"),
    [
        ("The rooms", ALLOWED),
        ("Inside `storage`", INSIDE_STORAGE),
        ("Inside `storage/sqlite`", INSIDE_SQLITE),
        ("Inside `storage/postgres`", INSIDE_POSTGRES),
    ],
    ids=["the rooms", "inside storage", "inside sqlite", "inside postgres"],
)
def test_the_table_of_imports_is_the_one_that_is_enforced(title: str, allowed: Mapping[str, set[str]]) -> None:
    table = imports(title)
    assert table == allowed
    assert list(table) == list(allowed)


def test_the_old_module_names_are_those_that_there_are() -> None:
    assert set(code(section("Old module names"))) - {"gateway/", "gateway.dialect"} == OLD_NAMES


@pytest.mark.parametrize("vendor", VENDORS)
def test_each_dialect_has_the_files_of_the_table(vendor: str) -> None:
    files = [name for file, _ in rows(section("Dialects")) for name in code(file)]
    assert [name for name in files if not (ROOT / "dialects" / vendor / name).exists()] == []
