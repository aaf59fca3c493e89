"""Every link of the documentation goes somewhere: to a file, and to a heading where it names one."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.docs.readme import ROOT

PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
        *(ROOT / "dialects").glob("*/*.md"),
    ],
    key=lambda page: page.relative_to(ROOT).as_posix(),
)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """Return the names that a page's headings have, as GitHub makes them; a heading that comes again gets a number."""
    found: Counter[str] = Counter()
    names = set()
    for heading in HEADING.findall(FENCED.sub("", text)):
        name = re.sub(r"[^\w\- ]", "", re.sub(r"\]\([^)]*\)", "]", heading).lower()).replace(" ", "-")
        names.add(f"{name}-{found[name]}" if found[name] else name)
        found[name] += 1
    return names


def is_broken(page: Path, link: str) -> bool:
    """Tell whether a link of a page goes nowhere."""
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    if not target.exists():
        return True
    return bool(anchor) and anchor not in anchors(target.read_text("utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_of_a_page_goes_somewhere(page: Path) -> None:
    links = LINK.findall(FENCED.sub("", page.read_text("utf-8")))
    assert [link for link in links if is_broken(page, link)] == []


def test_a_link_to_a_missing_file_or_heading_is_found() -> None:
    page = ROOT / "README.md"
    links = ["LICENSE", "docs", "#what-it-promises", "docs/events.md#fields", "docs/no.md", "#no", "docs/events.md#no"]
    assert [link for link in links if is_broken(page, link)] == ["docs/no.md", "#no", "docs/events.md#no"]


def test_headings_become_anchors_as_on_github() -> None:
    text = "# A page\n\n## How to stop, start\n\n```sh\n# no heading\n```\n\n## `x` and [y](z)\n\n## A page\n"
    assert anchors(text) == {"a-page", "how-to-stop-start", "x-and-y", "a-page-1"}
