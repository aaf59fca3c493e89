"""The rules of tests/kit/kinds.py name what is there, and give each test its kind, its markers and its worker."""

import subprocess
from types import ModuleType

import pytest

from tests.kit import kinds, serving

LOST = "tests/dialects/databuddy/test_no_field_is_lost.py"


@pytest.mark.parametrize("place", sorted({*kinds.PLACES, *kinds.MEASURING, *kinds.SPREAD}))
def test_what_the_rules_name_is_there(place: str) -> None:
    path, _, function = place.partition("::")
    found = list(kinds.ROOT.glob(path))
    assert found != []
    assert not function or all(f"def {function}(" in file.read_text("utf-8") for file in found)


@pytest.mark.parametrize(
    ("nodeid", "kind", "further", "unit"),
    [
        (f"{LOST}::test_a", "property", [], f"{LOST}::test_a"),
        ("tests/test_structure.py::test_a", "fast", [], "tests/test_structure.py"),
        ("tests/bench/test_plot.py::test_a", "fast", ["bench"], "tests/bench/test_plot.py"),
        ("tests/docs/test_page.py::test_a", "fast", ["browser"], "browser"),
        ("tests/sdk/test_hosts.py::test_a", "sdk", ["browser"], "browser"),
        ("tests/faults/test_stop.py::test_a", "faults", [], "measured"),
        ("tests/storage/test_guard.py::test_a[postgres]", "server", ["postgres"], "tests/storage/test_guard.py"),
        ("tests/property/test_schemas.py::test_a[1]", "property", [], "tests/property/test_schemas.py::test_a[1]"),
    ],
)
def test_a_test_has_a_kind_further_markers_and_a_unit(nodeid: str, kind: str, further: list[str], unit: str) -> None:
    assert kinds.kind(nodeid, ModuleType("starts nothing")) == kind
    assert (kinds.further(nodeid), kinds.unit(nodeid)) == (further, unit)


@pytest.mark.parametrize("imported", [subprocess, serving.run, serving.Served])
def test_a_module_that_imports_what_starts_processes_has_server_tests(imported: object) -> None:
    module = ModuleType("starts processes")
    vars(module)["imported"] = imported
    assert kinds.kind("tests/keys/test_x.py::test_a", module) == "server"


@pytest.mark.parametrize(
    ("nodeid", "fixtures"),
    [("tests/test_kinds.py::test_a", ["database", "clusters"]), ("tests/kit/postgres/test_cluster.py::test_a", [])],
)
def test_a_test_that_needs_postgresql_is_marked_so(nodeid: str, fixtures: list[str]) -> None:
    assert kinds.kind(nodeid, ModuleType("starts nothing"), fixtures) == "server"
    assert kinds.further(nodeid, fixtures) == ["postgres"]
