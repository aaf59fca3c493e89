"""Where `--output` leads: a file that appears whole, or what a pipe, a device or a descriptor stands for."""

import contextlib
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from gateway.cli.output.streams import OutputError, Stream, write_whole
from gateway.datadir import DataDir

Write = Callable[[bytes], object]
MAX_LINKS = 40
OWN_FILES = ("events.db", "keys.db", "rejected.db", "refused.db", "seen.filter", "lock", "gateway.sock")
"""How the names of the files in a data directory begin."""


@contextlib.contextmanager
def target(output: Path | None, directory: DataDir | None) -> Iterator[Write]:
    """Yield a function that writes to the output; None and `-` are standard output.

    A regular file gets its name once it is whole and on disk. A link stays, and what it leads to is replaced. Into a
    pipe, a device or an open descriptor (`/dev/stdout`) the bytes are written as they come. Raises ClickException and
    OSError.
    """
    descriptor = 1 if output is None or str(output) == "-" else _open_descriptor(output)
    if descriptor == 1:
        yield sys.stdout.buffer.write
        sys.stdout.flush()
        return
    assert output is not None
    name = str(output)
    try:
        with _written(output, name, directory) if descriptor is None else _streamed(descriptor, name) as write:
            yield write
    except BrokenPipeError:
        raise click.ClickException(f"cannot write to {name}: nobody reads it any more") from None


def is_terminal(output: Path | None) -> bool:
    """Return whether the output is a terminal, whichever way it leads there. Nothing is made or changed."""
    descriptor = 1 if output is None or str(output) == "-" else _open_descriptor(output)
    if descriptor is not None:
        return os.isatty(descriptor)
    assert output is not None
    try:
        if not stat.S_ISCHR(output.stat().st_mode):
            return False
        device = os.open(output, os.O_WRONLY | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.isatty(device)
    finally:
        os.close(device)


def _open_descriptor(output: Path) -> int | None:
    """Return the number of this process's descriptor that a path names, by links such as /dev/stdout; None if none."""
    path = output
    for _ in range(MAX_LINKS):
        with contextlib.suppress(OSError):
            if path.name.isdecimal() and len(path.name) < 10 and os.path.samefile(path.parent, "/proc/self/fd"):
                return int(path.name)
        try:
            path = path.parent / os.readlink(path)
        except OSError:
            return None
    return None


@contextlib.contextmanager
def _written(output: Path, name: str, directory: DataDir | None) -> Iterator[Write]:
    """Yield a function that writes to the file that a path leads to."""
    with _named(name):
        found = _found(output)
    if found is not None and stat.S_ISDIR(found.st_mode):
        raise click.ClickException(f"cannot write to {name}: it is a directory")
    if found is not None and not stat.S_ISREG(found.st_mode):
        with _named(name):
            descriptor = os.open(output, os.O_WRONLY | os.O_CLOEXEC | os.O_NOCTTY)
        try:
            with _streamed(descriptor, name) as write:
                yield write
        finally:
            os.close(descriptor)
        return
    path = Path(os.path.realpath(output))
    if directory is not None and _is_ours(path, directory):
        raise click.ClickException(f"cannot write to {name}: the gateway keeps its own data there")
    if found is not None and not os.access(path, os.W_OK):
        raise click.ClickException(f"cannot write to {name}: Permission denied")
    with _named(name):
        descriptor, part = tempfile.mkstemp(dir=path.parent, prefix=".gateway-")
    try:
        try:
            yield lambda block: write_whole(descriptor, block, name)
            with _named(name):
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        with _named(name):
            os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise


@contextlib.contextmanager
def _streamed(descriptor: int, name: str) -> Iterator[Write]:
    stream = Stream(descriptor, name, escapes=os.isatty(descriptor))
    yield stream.buffer.write
    stream.finish()


def _found(output: Path) -> os.stat_result | None:
    try:
        return output.stat()
    except FileNotFoundError:
        return None


def _is_ours(path: Path, directory: DataDir) -> bool:
    """Return whether a path is a file that a gateway keeps, of this version or an older one, by its name."""
    try:
        inside = path.relative_to(os.path.realpath(directory.path))
    except ValueError:
        return False
    return inside.parts[0] == directory.blobs.name or str(inside).startswith(OWN_FILES)


@contextlib.contextmanager
def _named(name: str) -> Iterator[None]:
    """Raise errors as ones of the output, not of a temporary file beside it."""
    try:
        yield
    except OSError as error:
        raise OutputError(name, error) from None
