"""Every case of the corpus cites the facts that it tests: a page under docs/contracts, and numbers that stand on it."""

import json
import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs" / "contracts").glob("*.md"))
CASES = sorted(path for path in (ROOT / "tests" / "corpus").glob("*/*.json") if not path.name.startswith("_"))

CITATION = re.compile(r"(docs/contracts/\w+\.md) (\d+(?:\.\d+)*(?:, \d+(?:\.\d+)*)*)")
HEADING = r"^#{2,} (\d+(?:\.\d+)*) "
ITEM = r"^ *(?:- |\| )(\d+(?:\.\d+)+) "  # of a list or a table, where one number alone may be something else
NUMBER = re.compile(rf"{HEADING}|{ITEM}", re.MULTILINE)


def numbers(page: Path) -> list[str]:
    """Return the numbers of a page's headings, list items and table rows, in their order."""
    return [heading or item for heading, item in NUMBER.findall(page.read_text("utf-8"))]


def wrong_citations(source: str, known: dict[str, set[str]]) -> list[str]:
    """Return what a case cites that is not there, and what is no citation at all."""
    wrong = []
    for text in source.split("; "):
        cited = CITATION.fullmatch(text)
        if cited is None:
            wrong.append(text)
        else:
            page, found = cited.groups()
            wrong += [f"{page} {number}" for number in found.split(", ") if number not in known.get(page, set())]
    return wrong


def test_every_case_cites_pages_and_numbers_that_exist() -> None:
    known = {page.relative_to(ROOT).as_posix(): set(numbers(page)) for page in PAGES}
    wrong = [
        f"{case.parent.name}/{case.stem} cites {citation}"
        for case in CASES
        for citation in wrong_citations(json.loads(case.read_text("utf-8"))["source"], known)
    ]
    assert CASES
    assert wrong == []


def test_a_number_stands_once_on_its_page() -> None:
    twice = [f"{page.name} {number}" for page in PAGES for number, count in Counter(numbers(page)).items() if count > 1]
    assert twice == []


def test_a_citation_of_another_form_or_of_a_missing_number_is_wrong() -> None:
    known = {"docs/contracts/a.md": {"1", "1.2"}}
    assert wrong_citations("docs/contracts/a.md 1, 1.2", known) == []
    assert wrong_citations("docs/contracts/a.md 1.3; docs/contracts/b.md 1; a.md", known) == [
        "docs/contracts/a.md 1.3",
        "docs/contracts/b.md 1",
        "a.md",
    ]
