"""The Unix socket in a data directory: its name, listening on it, connecting to it. No messages here."""

import contextlib
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from gateway.datadir import DataDirError

SOCKET = "gateway.sock"
OLD_SOCKETS = ("writer.sock", "control.sock")  # names before 0.2, which a killed server leaves behind
BACKLOG = 512
MAX_ADDRESS = 100  # bytes; an address of the kernel's holds a few more
log = logging.getLogger(__name__)


@contextlib.contextmanager
def socket_address(directory: Path) -> Iterator[str]:
    """Yield the socket's address: its path, or one by way of the folder's descriptor where the path is too long."""
    path = directory / SOCKET
    if len(os.fsencode(path)) <= MAX_ADDRESS or not os.path.isdir("/proc/self/fd"):
        yield str(path)
        return
    folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET}"
    finally:
        os.close(folder)


@contextlib.contextmanager
def bound(directory: Path) -> Iterator[socket.socket]:
    """Listen on the socket of a data directory whose lock the caller holds, for this user alone. Raises OSError.

    Whoever holds the socket keeps its clients' connections waiting while one server ends and the next one starts.
    """
    for name in (SOCKET, *OLD_SOCKETS):
        (directory / name).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        before = os.umask(0o177)  # so that the name has the mode 0600 from its first moment on
        try:
            with socket_address(directory) as address:
                listener.bind(address)
        finally:
            os.umask(before)
        listener.listen(BACKLOG)
        ours = _identity(directory / SOCKET)
        yield listener
        if _identity(directory / SOCKET) == ours:  # else the directory was replaced, and it is another gateway's
            with contextlib.suppress(OSError):
                (directory / SOCKET).unlink()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextlib.contextmanager
def bound_for_workers(directory: Path) -> Iterator[socket.socket]:
    """Yield what `bound` does. Raises DataDirError, in one line that says what to do."""
    with contextlib.ExitStack() as stack:
        try:
            listener = stack.enter_context(bound(directory))
        except OSError as error:
            hint = "several workers need Unix sockets there: choose another --data, or --workers 1"
            raise DataDirError(f"cannot listen on {directory / SOCKET}: {error.strerror or error}; {hint}") from error
        yield listener


@contextlib.contextmanager
def bound_if_possible(directory: Path) -> Iterator[socket.socket | None]:
    """Yield what `bound` does, or None and a warning in the log: some filesystems have no sockets."""
    with contextlib.ExitStack() as stack:
        try:
            listener = stack.enter_context(bound(directory))
        except OSError as error:
            log.warning("cannot listen on %s: %s", directory / SOCKET, error)
            log.warning("commands that replay or drop quarantined items need the server stopped")
            yield None
            return
        yield listener


def connected(directory: Path) -> socket.socket:
    """Return a connection to the socket, non-blocking. Raises OSError at once when nobody listens."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        with socket_address(directory) as address:
            connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection
