"""What the tests of this folder share: the figures, and the compiled shims."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults import figures, shims


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> figures.Figure:
    return figures.note(request)


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("shims")
    return lambda name: shims.compiled(name, folder)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    figures.report(terminalreporter)
