"""Temporary folders. They lie in one folder of this process, which is removed after it, even after a SIGKILL."""

import atexit
import contextlib
import functools
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gateway.testing.postgres import keeper


@contextlib.contextmanager
def temporary(place: Path | None = None) -> Iterator[Path]:
    """Yield a new folder in a place, by default that of temporary files; remove it afterwards."""
    folder = new_folder_in(place, "kit-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_folder_in(place: Path | None, prefix: str) -> Path:
    """Make a folder, which may be removed at any time, and is removed when this process ends."""
    return Path(tempfile.mkdtemp(prefix=prefix, dir=_own(place)))


@functools.cache
def _own(place: Path | None) -> Path:
    """Make the folder of this process, and start who removes it."""
    folder = Path(tempfile.mkdtemp(prefix="gateway-", dir=place))
    watching = subprocess.Popen(  # noqa: S603 (a program of ours)
        [sys.executable, "-IS", keeper.__file__, str(folder)], stdin=subprocess.PIPE, start_new_session=True
    )
    atexit.register(_end, watching)
    folder.chmod(0o711)  # a server of the checks may run as another user
    return folder


def _end(watching: "subprocess.Popen[bytes]") -> None:
    watching.communicate()
