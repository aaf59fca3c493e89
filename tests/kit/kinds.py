"""What kind of test each one is, and which tests share a worker. Rules only; tests/conftest.py applies them.

Each test has one kind, which is a marker (`pytest -m fast`); a further marker may come beside it.
"""

import functools
import re
import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]

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
    "postgres": "runs PostgreSQL servers (also server or faults)",
}
"""Further markers, beside a test's kind."""

CONFORMANCE = "tests/dialects/test_conformance.py"
"""The suite of the kit, on each dialect: a test for each kind."""

PLACES: Mapping[str, str] = {
    "tests/property/": "property",
    "tests/dialects/*/test_no_field_is_lost.py": "property",
    "tests/http/test_raw_bytes.py": "property",
    "tests/records/test_linear.py": "property",
    "tests/sdk/": "sdk",
    "tests/docs/migrate/": "sdk",
    "tests/faults/": "faults",
    "tests/storage/test_kill.py": "faults",
    "tests/testing/engine/test_engine_kill.py": "faults",
    "tests/testing/test_checks_kill.py": "faults",
    "tests/console/": "server",
    "tests/fuzz/": "fuzz",
    f"{CONFORMANCE}::test_a_dialect_keeps_a_promise_whatever_it_is_sent": "property",
    f"{CONFORMANCE}::test_a_dialect_keeps_a_promise_in_a_server": "server",
    f"{CONFORMANCE}::test_a_dialect_keeps_a_promise_when_its_gateway_is_killed": "faults",
    f"{CONFORMANCE}::test_a_dialect_keeps_a_promise": "fast",
}
"""What a module's imports do not tell: the kind of all tests whose id begins so, `*` being a folder of any name. The
first that fits holds.
"""

STARTERS = {
    *("tests.docs.readme", "tests.faults.lives", "tests.kit.certificates", "tests.kit.serving", "tests.kit.shell"),
    "tests.workers.crowd",
}
"""Modules that start processes: a module that imports a class or a function of theirs has `server` tests."""

POSTGRES = r"\b(tests\.kit\.postgres\.(cluster|bouncer)|gateway\.testing\.postgres\.server)\b"
"""Modules with a PostgreSQL server: a module that names one has `postgres` tests."""

MEASURING = ("tests/faults/test_slow.py", "tests/faults/test_stop.py")
"""Modules that time requests or a stop: they share a worker, so that they never run beside each other."""

SPREAD = (
    CONFORMANCE,
    "tests/storage/test_conformance.py",
    "tests/property/test_schemas.py",
    "tests/dialects/*/test_no_field_is_lost.py",
    "tests/records/test_linear.py",
)
"""Long modules without a server of their own: each of their tests may run on any worker."""

ORDER = ("browser", "faults", "fuzz", "sdk", "server", "measured", "property", "fast")
"""What runs first: the longest, so that no worker ends long before the others. Behind what is measured are only tests
that start no process: by then the other workers run those.
"""


def kind(nodeid: str, module: ModuleType, fixtures: Collection[str] = ()) -> str:
    """Return the kind of a test. `fixtures` are the names of all that it needs, of those that fixtures need too."""
    for place, its in PLACES.items():
        if _begins(nodeid, place):
            return its
    starts = _starts_processes(module) or runs_postgres(nodeid, fixtures) or _shares_a_database(nodeid, fixtures)
    return "server" if starts else "fast"


def _shares_a_database(nodeid: str, fixtures: Collection[str]) -> bool:
    """Return whether a module has a database: it is dropped during the first test that does not use it."""
    return "module_url" in fixtures or re.search(r"\bmodule_url\b", _text(_path(nodeid))) is not None


def _starts_processes(module: ModuleType) -> bool:
    names = vars(module).values()
    return any(value is subprocess or getattr(value, "__module__", None) in STARTERS for value in names)


def further(nodeid: str, fixtures: Collection[str] = ()) -> list[str]:
    """Return the markers that a test has beside its kind."""
    path = _path(nodeid)
    holds = {
        "bench": path.startswith("tests/bench/"),
        "browser": opens_pages(path),
        "postgres": runs_postgres(nodeid, fixtures),
    }
    return [name for name in ALSO if holds[name]]


def unit(nodeid: str) -> str:
    """Return the name of what a test runs with, on one worker: mostly its module, so that its servers start once."""
    path = _path(nodeid)
    if opens_pages(path):
        return "browser"  # one Chromium for all of them
    if path in MEASURING:
        return "measured"
    return nodeid if any(_begins(path, each) for each in SPREAD) else path


def place(nodeid: str, its_kind: str) -> int:
    """Return when a test runs: a number to sort by."""
    its_unit = unit(nodeid)
    return ORDER.index(its_unit if its_unit in ORDER else its_kind)


@functools.cache
def _begins(nodeid: str, place: str) -> bool:
    return re.match(re.escape(place).replace(r"\*", "[^/]+"), nodeid) is not None


def _path(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def opens_pages(path: str) -> bool:
    """Return whether the tests of a module need Chromium: by the fixture `visit`, or one of their own."""
    return re.search(r"\bvisit: Open\b|\bchromium\b", _text(path)) is not None


def runs_postgres(nodeid: str, fixtures: Collection[str]) -> bool:
    """Return whether a test needs PostgreSQL: by its fixtures, a parameter named so, or what its module imports."""
    if "clusters" in fixtures or "postgres" in nodeid.partition("[")[2]:
        return True
    return re.search(POSTGRES, _text(_path(nodeid))) is not None


@functools.cache
def _text(path: str) -> str:
    file = ROOT / path
    return file.read_text("utf-8") if file.is_file() else ""  # a check of `pytest --dialect NAME` lies in no file
