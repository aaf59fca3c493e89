"""A Unix socket under a path: made for its user and group, and removed again. It accepts nothing."""

import contextlib
import errno
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

MODE = 0o660
"""The socket's mode: whoever may write to it may send, and is believed to be a proxy."""


@contextlib.contextmanager
def bound(path: Path) -> Iterator[socket.socket]:
    """Yield a socket that listens on a path; remove its name at the end, if it still is this socket's.

    It listens at once: one that does not looks like one that nobody has. Takes the place of a socket on which nobody
    listens, and of nothing else. Raises OSError, in one line.
    """
    _make_room(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        before = os.umask(0o777 & ~MODE)  # so that the name has this mode from its first moment on
        try:
            listener.bind(str(path))
            listener.listen()
        except OSError as error:  # a path that is too long has no number
            raise _cannot(path, error.strerror or f"{error} (it may have 107 bytes)") from error
        finally:
            os.umask(before)
        ours = _identity(path)
        try:
            yield listener
        finally:
            if _identity(path) == ours:  # else it is the socket of another server by now
                with contextlib.suppress(OSError):
                    path.unlink()


def _make_room(path: Path) -> None:
    """Remove a socket on which nobody listens any more."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise _cannot(path, str(error.strerror)) from error
    if not stat.S_ISSOCK(found.st_mode):
        raise _cannot(path, "it exists and is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.setblocking(False)
        try:
            other.connect(str(path))
        except OSError as error:
            if error.errno not in (errno.ECONNREFUSED, errno.ENOENT):
                why = "another process listens on it" if error.errno == errno.EAGAIN else str(error.strerror or error)
                raise _cannot(path, why) from error
        else:
            raise _cannot(path, "another process listens on it")
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _cannot(path, str(error.strerror)) from error


def _cannot(path: Path, why: str) -> OSError:
    return OSError(f"cannot listen on the Unix socket {path}: {why}; choose another server.unix_socket")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
