"""Node, a bundler, a Chromium and a web site, one of each a session, for tests that run a vendor's SDK or page."""

import json
import subprocess
from collections.abc import Iterator
from functools import cache

import pytest

from tests.sdk import programs
from tests.sdk.programs import Bundled, Drive, Open, Visit
from tests.sdk.site import Site, hosting


@pytest.fixture(scope="session")
def drive() -> Drive:
    """Runs a Node driver that uses the published packages."""
    programs.install()
    return programs.drive


@pytest.fixture(scope="session")
def shop() -> Iterator[Site]:
    """The team's web site."""
    with hosting() as site:
        yield site


@pytest.fixture(scope="session")
def bundled(drive: Drive) -> Bundled:
    """Bundles a script of `pages/` with the packages it imports; names may stand for a package's several versions."""

    @cache
    def bundle(name: str, *alias: tuple[str, str]) -> bytes:
        entry = str(programs.HERE / "pages" / name)
        return str(drive("bundle.mjs", {"entry": entry, "alias": dict(alias)})).encode()

    return bundle


@pytest.fixture(scope="session")
def visit(drive: Drive) -> Iterator[Open]:
    """A headless Chromium: opens one page after the other, each in a profile of its own."""
    command = [programs.found("node"), str(programs.DRIVERS / "browser.mjs"), programs.found(*programs.CHROMIUM)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        asked, answers = process.stdin, process.stdout
        assert asked is not None
        assert answers is not None

        def open_page(address: str, *calls: tuple[str, object], leave: str | None = None) -> Visit:
            asked.write(json.dumps({"address": address, "calls": calls, "leave": leave}) + "\n")
            asked.flush()
            seen = json.loads(answers.readline())
            assert "failed" not in seen, seen["failed"]
            return Visit(**seen)

        yield open_page
        asked.close()
        process.wait(programs.PATIENCE)
