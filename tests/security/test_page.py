"""docs/security.md names the tests that show its claims: each of them is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("security.md", "operate.md")


def named(page: str) -> set[str]:
    return set(
        re.findall(
            r"\b(?:tests/)?(?:\w+/)*test_\w+\.py\b|\bgateway/testing/(?:\w+/)*\w+\.py\b",
            (ROOT / "docs" / page).read_text("utf-8"),
        )
    )


@pytest.mark.parametrize("page", PAGES)
def test_each_test_that_a_page_names_is_there_once(page: str) -> None:
    found = {name: [*ROOT.glob(name if "/" in name else f"tests/**/{name}")] for name in named(page)}
    assert found != {}
    assert {name: len(files) for name, files in found.items()} == dict.fromkeys(found, 1)


def test_each_test_of_this_folder_is_named() -> None:
    there = {file.name for file in Path(__file__).parent.glob("test_*.py")} - {Path(__file__).name}
    assert there - {Path(name).name for name in named("security.md")} == set()
