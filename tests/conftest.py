"""What holds for every test: its markers, its worker, and the figures that are printed after the run.

A test's kind follows from where it lies and what it imports (tests/kit/kinds.py): nobody has to remember a marker.
"""

import os
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # it has no type information

from gateway.pytest_plugin import CheckItem
from gateway.testing.postgres import keeper
from tests.faults.figures import Figure, sentence
from tests.kit import kinds

pytest_plugins = ["tests.kit.postgres.fixtures", "tests.kit.engines", "tests.sdk.fixtures"]

# A gateway that a test starts has a console only where the test asks for one (--console): all would want one address.
os.environ["GATEWAY_CONSOLE"] = "off"
# Tests start hundreds of Pythons, and each would compile all of the gateway again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

DESELECTED = pytest.StashKey[list[str]]()

# A busy machine is no reason for a property to fail.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of tests/security/test_bounds.py."""
    parser.addoption("--every-bound", action="store_true", help="send every hostile request to every dialect")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[DESELECTED] = []
    for name, meaning in {**kinds.KINDS, **kinds.ALSO}.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


# Kinds and workers


@pytest.hookimpl(tryfirst=True)  # before -m selects by the markers
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    places: dict[pytest.Item, int] = {}
    for item in items:
        if isinstance(item, CheckItem):
            continue  # what `--dialect NAME` adds has no module
        assert isinstance(item, pytest.Function), f"{item.nodeid} is no function"
        kind = kinds.kind(item.nodeid, item.module, item.fixturenames)
        for name in (kind, *kinds.further(item.nodeid, item.fixturenames)):
            item.add_marker(name)
        places[item] = kinds.place(item.nodeid, kind)
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: places.get(item, -1))


class Units(LoadScopeScheduling):  # type: ignore[misc]  # as above
    """Sends each unit of tests to one worker. (xdist's own groups need ids that pytest 9.2 does not let it change.)"""

    def _split_scope(self, nodeid: str) -> str:
        return kinds.unit(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Units:
    return Units(config, log)


RUNNING: list[pytest.Item] = []
KEEPS_FOLDERS = keeper.__file__
"""The program that removes the temporary folders of a process: it starts once, whichever test comes first."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    RUNNING.append(item)
    try:
        return (yield)
    finally:
        RUNNING.clear()


def _refuse_processes(event: str, arguments: tuple[object, ...]) -> None:
    if event != "subprocess.Popen" or KEEPS_FOLDERS in map(str, cast(list[str], arguments[1])):
        return
    if any(item.get_closest_marker("fast") for item in RUNNING):
        raise AssertionError("a test marked `fast` starts a process: see STARTERS and PLACES in tests/kit/kinds.py")


sys.addaudithook(_refuse_processes)


# What workers say to the process that prints


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Figure:
    """Notes a figure that is printed after the run, whether the test passes or not."""
    node = request.node
    return lambda text: node.user_properties.append(("figure", f"{sentence(node.name)}: {text}"))


def pytest_deselected(items: list[pytest.Item]) -> None:
    """On a worker: keep them for the controller, which would not hear of them."""
    if items:
        items[0].config.stash[DESELECTED].extend(item.nodeid for item in items)


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["deselected"] = session.config.stash[DESELECTED]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """On the controller: count what a worker deselected; all of them deselect the same tests."""
    found = getattr(node, "workeroutput", {}).get("deselected")
    if found:
        stats = node.config.pluginmanager.getplugin("terminalreporter").stats
        stats["deselected"] = [SimpleNamespace(nodeid=nodeid) for nodeid in found]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for found in terminalreporter.stats.values() for report in found]
    ends = [report for report in reports if isinstance(report, pytest.TestReport) and report.when == "teardown"]
    figures = [text for report in ends for name, text in report.user_properties if name == "figure"]
    if figures:
        terminalreporter.section("figures")
        for text in figures:
            terminalreporter.line(str(text))
