"""Figures that a test prints whether it passes or not: they stand in a section of their own after the run."""

from collections.abc import Callable

import pytest

Figure = Callable[[str], None]
LINES: list[str] = []
HEADING = "figures"


def note(request: pytest.FixtureRequest) -> Figure:
    """Return what takes a test's figures down, under its name as a sentence."""
    named = request.node.name.removeprefix("test_").replace("_", " ")
    return lambda text: LINES.append(f"{named}: {text}")


def report(reporter: pytest.TerminalReporter) -> None:
    """Print what was noted so far, once."""
    if LINES:
        reporter.section(HEADING)
        while LINES:
            reporter.line(LINES.pop(0))
