"""The pages of docs/migrate/ as text: built alike, and without a block that tests/docs/migrate/ does not run."""

import re

import pytest

from tests.docs.migrate.guide import MIGRATIONS, SECTIONS, guide
from tests.docs.readme import README, ROOT

EVERY = pytest.mark.parametrize("vendor", sorted(file.stem for file in (ROOT / "docs" / "migrate").glob("*.md")))
BEFORE, _, CHECK, BACK, _ = SECTIONS
POLICY = "Content Security Policy"
ON_EVERY_PAGE = {(BEFORE, "sh"), (BEFORE, "json"), (CHECK, "sh"), (BACK, "sh"), (POLICY, "http"), ("Node", "js")}


def blocks_of(vendor: str) -> list[tuple[str, str]]:
    """Return the heading and the language of each block of a page."""
    found, heading, within = [], "", False
    for line in guide(vendor).text.splitlines():
        if line.startswith("```"):
            within = not within
            if within:
                found.append((heading, line.removeprefix("```")))
        elif line.startswith("#") and not within:
            heading = line.lstrip("# ")
    return found


@EVERY
def test_every_page_has_the_same_sections_in_their_order(vendor: str) -> None:
    assert re.findall("^## (.+)$", guide(vendor).text, re.MULTILINE) == list(SECTIONS)


@EVERY
def test_every_block_of_a_page_is_one_that_its_tests_run(vendor: str) -> None:
    assert set(blocks_of(vendor)) == ON_EVERY_PAGE | MIGRATIONS[vendor].run


@EVERY
def test_what_stands_for_something_of_a_teams_is_known(vendor: str) -> None:
    assert set(re.findall("YOUR_[A-Z]+(?:_[A-Z]+)*", guide(vendor).text)) <= {"YOUR_DIGEST"}


@EVERY
def test_the_readme_and_the_dialects_own_page_lead_to_it(vendor: str) -> None:
    own = (ROOT / "dialects" / vendor / "README.md").read_text("utf-8")
    assert ("(docs/migrate)" in README, f"(../../docs/migrate/{vendor}.md)" in own) == (True, True)
