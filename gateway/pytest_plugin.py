"""The pytest plugin that comes with the gateway: `pytest --dialect NAME` runs the suite of a dialect too.

pytest loads it by its entry point, in every run of an environment that has the gateway. So it stands outside
`gateway.testing`, and imports nothing of the gateway before it is asked for something.
"""

import contextlib
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from gateway.testing import Check

SUITES = pytest.StashKey[dict[str, list["Check"]]]()
"""The checks to run, by the name of their dialect."""
ACCEPTED = pytest.StashKey[list[str]]()
"""Files of cases that were written anew."""
NO_SUITES: dict[str, list["Check"]] = {}
NO_FILES: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("gateway", "conformance of dialects (gateway.testing)")
    group.addoption(
        "--dialect", action="append", default=[], metavar="NAME", help="check an installed dialect (repeatable)"
    )
    group.addoption("--corpus", metavar="FOLDER", help="where its corpus lies (default: tests/corpus/NAME)")
    group.addoption(
        "--accept", action="store_true", help="first write what the dialect answers and stores now into its cases"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Find the checks, and say in one line what keeps them from being run."""
    names = list(dict.fromkeys(config.getoption("--dialect")))
    folder = config.getoption("--corpus")
    is_accepting = config.getoption("--accept")
    if not names:
        if folder is not None or is_accepting:
            raise pytest.UsageError("--corpus and --accept need --dialect NAME")
        return
    if folder is not None and len(names) > 1:
        raise pytest.UsageError("--corpus is the corpus of one dialect: name one with --dialect")
    from gateway.printable import printable
    from gateway.testing import Failure, accept, dialect_checks, subject
    from gateway.testing.run import ended_by_sigterm

    ending = contextlib.ExitStack()
    ending.enter_context(ended_by_sigterm())
    config.add_cleanup(ending.close)
    suites: dict[str, list[Check]] = {}
    accepted: list[str] = []
    try:
        for name in names:
            found = subject(name, Path(folder) if folder else None)
            if is_accepting and not hasattr(config, "workerinput"):  # a worker's controller has done it
                accepted += map(str, accept(found, found.corpus.cases))
                found = subject(name, found.corpus.folder)
            suites[name] = dialect_checks(found)
    except Failure as failure:
        raise pytest.UsageError(printable(failure.line)) from None
    config.stash[SUITES] = suites
    config.stash[ACCEPTED] = accepted


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say which cases were written anew."""
    accepted = config.stash.get(ACCEPTED, NO_FILES)
    if not accepted:
        return []
    from gateway.printable import printable

    return [printable(f"accepted: {file}") for file in accepted]


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Take `<dialect>::<name of a check>` of the command line for that check: pytest would look for such a file."""
    suites = session.config.stash.get(SUITES, NO_SUITES)
    asked: dict[str, list[str]] = {}
    for argument in session.config.args[:]:
        dialect, parted, name = argument.partition("::")
        if parted and dialect in suites:
            asked.setdefault(dialect, []).append(name)
            session.config.args.remove(argument)
    if not asked:
        return
    from gateway.printable import printable

    for dialect, names in asked.items():
        known = {printable(str(check)): check for check in suites[dialect]}
        unknown = [name for name in names if name not in known]
        if unknown:
            raise pytest.UsageError(
                printable(f"no check of {dialect} is named {unknown[0]!r}; -k TEXT picks those with TEXT in their name")
            )
    chosen = {name: [check for check in suites[name] if printable(str(check)) in asked[name]] for name in asked}
    session.config.stash[SUITES] = chosen


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """Add the suites to what pytest collects, and print the Failure of a module that asks for checks as its text."""
    report = yield
    if isinstance(collector, pytest.Session):
        suites = collector.config.stash.get(SUITES, NO_SUITES)
        made = [Suite.from_parent(collector, name=name, nodeid=name, checks=checks) for name, checks in suites.items()]
        report.result = [*report.result, *made]
    call = getattr(report, "call", None)
    if call is not None and call.excinfo is not None and _is_failure(call.excinfo.value):
        from gateway.printable import printable_lines

        report.longrepr = printable_lines(str(call.excinfo.value))
    return report


class Suite(pytest.Collector):
    """The checks of one dialect, which lie in no file."""

    def __init__(self, *, checks: list["Check"], **options: Any) -> None:
        super().__init__(**options)
        self.checks = checks

    def collect(self) -> list[pytest.Item]:
        """Return a test for each check."""
        from gateway.printable import printable

        return [CheckItem.from_parent(self, name=printable(str(check)), check=check) for check in self.checks]


class CheckItem(pytest.Item):
    """One check as a test. Its id is `<dialect>::<name of the check>`."""

    def __init__(self, *, check: "Check", **options: Any) -> None:
        super().__init__(**options)
        self.check = check

    def runtest(self) -> None:
        """Run the check."""
        from gateway.testing import Failure

        try:
            self.check.run()
        except Failure as failure:
            _fail(failure)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return what to print; of an unexpected exception, what happened from `runtest` on."""
        from gateway.printable import printable_lines

        excinfo.traceback = excinfo.traceback.cut(path=Path(__file__))
        return printable_lines(str(super().repr_failure(excinfo, style)))

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return where the check comes from, and its headline."""
        return Path(__file__), None, f"{self.parent.name if self.parent else ''}: {self.name}"


# A test of somebody's own may run a check, too: @pytest.mark.parametrize("check", dialect_checks(...))


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call() -> Iterator[None]:
    """Print the text of a failed check in the place of a traceback through it."""
    try:
        return (yield)
    except AssertionError as error:
        if not _is_failure(error):
            raise
        _fail(error)


def _is_failure(error: BaseException) -> bool:
    """Return whether an exception is a Failure. If no kit is imported, it is none."""
    kit = sys.modules.get("gateway.testing.check")
    return kit is not None and isinstance(error, kit.Failure)


def _fail(failure: BaseException) -> NoReturn:
    """Fail a test with the text of a Failure, and nothing else."""
    from gateway.printable import printable_lines

    raise pytest.fail.Exception(printable_lines(str(failure)), pytrace=False) from None
