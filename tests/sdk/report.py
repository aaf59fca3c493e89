"""`python -m tests.sdk.report`: runs these tests and writes what they proved to docs/compatibility.md."""

import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

import attrs

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "compatibility.md"
HEAD = """# Compatibility

Written by `python -m tests.sdk.report` from a run of `tests/sdk`: published SDKs, unmodified, with only their URL
changed, and plain clients where a vendor publishes none or its script is not on npm. Each row is a test: what the
client reported, and every event that was stored, were compared whole.
"""


@attrs.frozen(order=True)
class EventRow:
    """What one test proves."""

    sdk: str
    version: str
    call: str
    result: str


def rows(report: ElementTree.Element) -> list[EventRow]:
    """Return what the tests of a JUnit report prove; those that name no SDK are left out."""
    found = []
    for case in report.iter("testcase"):
        named = {each.get("name"): str(each.get("value")) for each in case.iter("property")}
        if "sdk" in named:
            found.append(EventRow(named["sdk"], named["version"], named["call"], result(case)))
    return sorted(set(found))


def result(case: ElementTree.Element) -> str:
    """Return how a test ended: `works`, or what is wrong."""
    if case.find("failure") is not None or case.find("error") is not None:
        return "**fails**"
    skipped = case.find("skipped")
    return "works" if skipped is None else f"not run: {skipped.get('message')}"


def page(found: Iterable[EventRow]) -> str:
    """Return the table as Markdown."""
    lines = [HEAD, "| SDK | version | call | result |", "|---|---|---|---|"]
    lines += [f"| {_cell(row.sdk)} | {_cell(row.version)} | {_cell(row.call)} | {row.result} |" for row in found]
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
