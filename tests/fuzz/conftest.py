"""The figures of this folder's tests."""

import pytest

from tests.faults import figures


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> figures.Figure:
    return figures.note(request)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    figures.report(terminalreporter)
