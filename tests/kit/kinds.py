"""What kind of test each one is, and which tests run on the same worker. Rules only; tests/conftest.py applies them.

Each test is of one kind, which is a marker: `pytest -m fast`. A further marker may come beside it.
"""

import subprocess
from collections.abc import Iterable, Mapping
from types import ModuleType

KINDS: Mapping[str, str] = {
    "fast": "starts no process and is done soon",
    "property": "starts no process, and tries hundreds of generated inputs",
    "server": "runs the gateway's own commands and servers",
    "sdk": "runs the vendors' SDKs and HTTP clients; most need node, some Chromium",
    "faults": "kills processes, fills disks, sets clocks; needs a C compiler",
    "fuzz": "sends what nobody would send",
}
"""Name and meaning."""

ALSO: Mapping[str, str] = {
    "bench": "the arithmetic and the pictures of the benchmarks (also fast)",
    "browser": "opens pages in Chromium (also sdk or server)",
}
"""Further markers, beside a test's kind."""

PLACES: Mapping[str, str] = {
    "tests/property/": "property",
    "tests/dialects/databuddy/test_no_field_is_lost.py": "property",
    "tests/sdk/": "sdk",
    "tests/faults/": "faults",
    "tests/storage/test_kill.py": "faults",
    "tests/fuzz/": "fuzz",
    "tests/test_corpus.py::test_a_case_is_answered_and_stored_exactly_over_http": "server",
}
"""What is not told by a module's imports: the kind of all tests whose id begins so."""

STARTERS = {"tests.docs.readme", "tests.faults.lives", "tests.kit.serving", "tests.workers.crowd"}
"""Modules of the kit that start processes: who imports a class or a function of theirs is a `server` test."""

MEASURED = "measured"
"""The group of the tests that time others' requests or a stop: they never run beside each other."""

MEASURING = ("tests/faults/test_slow.py", "tests/faults/test_stop.py")
"""The modules of that group."""

BROWSING = ("tests/docs/test_page.py",)
"""Modules that start a Chromium of their own; those of tests/sdk/ ask for the fixture `visit`."""

ORDER = ("browser", "faults", "fuzz", "sdk", "server", MEASURED, "property", "fast")
"""What runs first: the longest groups, so that no worker ends long before the others. Behind what is measured are only
single tests that start no process: by then the other workers run those.
"""


def kind(nodeid: str, module: ModuleType) -> str:
    """Return the kind of a test."""
    for place, its in PLACES.items():
        if nodeid.startswith(place):
            return its
    return "server" if _starts_processes(module) else "fast"


def _starts_processes(module: ModuleType) -> bool:
    names = vars(module).values()
    return any(value is subprocess or getattr(value, "__module__", None) in STARTERS for value in names)


def group(path: str, its_kind: str, browsing: Iterable[str]) -> str | None:
    """Return what a test of a module shares a worker with; None if it may run anywhere.

    `browsing` are the paths of all modules that need Chromium: they share one. Tests that start processes run
    with their module, so that its servers are started once.
    """
    if path in MEASURING:
        return MEASURED
    if path in browsing:
        return "browser"
    return None if its_kind in ("fast", "property") else path


def further(path: str, browsing: Iterable[str]) -> list[str]:
    """Return the markers that the tests of a module have beside their kind."""
    holds = {"bench": path.startswith("tests/bench/"), "browser": path in browsing}
    return [name for name in ALSO if holds[name]]


def place(its_kind: str, its_group: str | None) -> int:
    """Return when a test runs: a number to sort by."""
    return ORDER.index(its_group if its_group in ORDER else its_kind)
