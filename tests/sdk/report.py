"""`python -m tests.sdk.report`: runs these tests and writes what they proved to docs/compatibility.md."""

import subprocess
import sys
import tempfile
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree

import attrs

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "compatibility.md"
HEAD = """# Compatibility

Which SDKs and clients work against the gateway. The SDKs are the vendors' published ones, unmodified except for the
URL in their settings. Where a vendor publishes none, or its script is not on npm, plain HTTP clients send the same
requests. Each call is a test: it compares everything that the client reported and every event that was stored.

`python -m tests.sdk.report` runs `tests/sdk` and writes this page.
"""
WORKS = "works"


@attrs.frozen(order=True)
class EventRow:
    """One test: what it ran and how that ended."""

    sdk: str
    version: str
    call: str
    result: str


def rows(report: ElementTree.Element) -> list[EventRow]:
    """Return the tests of a JUnit report that name an SDK, sorted."""
    found = []
    for case in report.iter("testcase"):
        named = {each.get("name"): str(each.get("value")) for each in case.iter("property")}
        if "sdk" in named:
            found.append(EventRow(named["sdk"], named["version"], named["call"], result(case)))
    return sorted(set(found))


def result(case: ElementTree.Element) -> str:
    """Return how a test ended: WORKS, or what is wrong."""
    if case.find("failure") is not None or case.find("error") is not None:
        return "**fails**"
    skipped = case.find("skipped")
    return WORKS if skipped is None else f"not run: {skipped.get('message')}"


def page(found: Iterable[EventRow]) -> str:
    """Return the page as Markdown: a table with a row for each SDK, then one with a row for each call."""
    every = list(found)
    lines = [HEAD, "## Every SDK", "", "| SDK | versions | calls | of these work |", "|---|---|---|---|"]
    for sdk, rows_of_sdk in groupby(every, key=lambda row: row.sdk):
        calls = list(rows_of_sdk)
        versions = "; ".join(dict.fromkeys(row.version for row in calls))
        work = sum(row.result == WORKS for row in calls)
        lines.append(f"| {_cell(sdk)} | {_cell(versions)} | {len(calls)} | {'all' if work == len(calls) else work} |")
    lines += ["", "## Every call", "", "| SDK | version | call | result |", "|---|---|---|---|"]
    lines += [f"| {_cell(row.sdk)} | {_cell(row.version)} | {_cell(row.call)} | {row.result} |" for row in every]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def main() -> int:
    """Run the tests, write the page, and return pytest's exit code."""
    with tempfile.TemporaryDirectory() as folder:
        junit = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", str(Path(__file__).parent), f"--junitxml={junit}"]
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        found = rows(ElementTree.parse(junit).getroot())
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(found), "utf-8")
    print(f"{PAGE.relative_to(ROOT)}: {len(found)} rows")
    return code


if __name__ == "__main__":
    sys.exit(main())
