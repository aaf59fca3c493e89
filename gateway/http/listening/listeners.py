"""The sockets of one server: made for its settings, or handed over by who started it. It accepts nothing."""

import contextlib
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

from gateway.http.bind import bind_all, on_same_address, url_of
from gateway.http.listening import unix_socket

FAMILIES = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)


@attrs.frozen(kw_only=True, eq=False)
class Listeners:
    """Bound sockets, the first of which gives the server its URL.

    Those that are `handed_over` belong to somebody else too, who goes on listening after this server: what waits in
    them is the next server's to accept. `scheme` is https where the TCP sockets speak TLS; Unix sockets never do.
    """

    sockets: tuple[socket.socket, ...]
    handed_over: bool = False
    scheme: str = "http"

    @property
    def urls(self) -> tuple[str, ...]:
        """Return the URL of each socket: `http://127.0.0.1:8080`, `unix:/run/gateway.sock`."""
        return tuple(url_of(each, self.scheme) for each in self.sockets)

    @contextlib.contextmanager
    def of_a_worker(self) -> Iterator[tuple[int, ...]]:
        """Yield the descriptors of what one of several processes listens on, each socket as long as this lasts.

        It has TCP sockets of its own on the same addresses; Unix sockets and those that were handed over are shared.
        """
        with contextlib.ExitStack() as stack:
            yield tuple(
                each.fileno()
                if self.handed_over or each.family == socket.AF_UNIX
                else stack.enter_context(on_same_address(each)).fileno()
                for each in self.sockets
            )

    def close(self) -> None:
        """Close the sockets here; those that were handed over, or that other processes have, go on listening."""
        for each in self.sockets:
            each.close()


def of_descriptors(descriptors: Sequence[int], *, handed_over: bool, scheme: str) -> Listeners:
    """Return the listeners of inherited descriptors, which no child of this process inherits.

    Raises OSError, in one line, on one that is no stream socket, or is handed over and does not listen.
    """
    with contextlib.ExitStack() as stack:
        sockets = tuple(stack.enter_context(_of_descriptor(each)) for each in descriptors)
        for number, each in zip(descriptors, sockets, strict=True):
            # To listen on one that has no address would choose one, which everybody reaches.
            if handed_over and not each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                raise OSError(f"LISTEN_FDS: descriptor {number} is no socket that listens")
        stack.pop_all()
    return Listeners(sockets=sockets, handed_over=handed_over, scheme=scheme)


def _of_descriptor(number: int) -> socket.socket:
    try:
        found = socket.socket(fileno=number)
    except OSError as error:
        raise OSError(f"LISTEN_FDS: descriptor {number} is no socket: {error.strerror}") from error
    if found.type != socket.SOCK_STREAM or found.family not in FAMILIES:
        found.close()
        raise OSError(f"LISTEN_FDS: descriptor {number} is no stream socket of TCP or Unix")
    found.set_inheritable(False)
    return found


@contextlib.contextmanager
def listening(
    hosts: Sequence[str],
    port: int,
    *,
    unix_path: Path | None = None,
    handed_over: Sequence[int] = (),
    scheme: str = "http",
) -> Iterator[Listeners]:
    """Yield the listeners of some addresses on one port and of a Unix socket, or in their place what was handed over.

    Raises OSError, in one line that names what to change.
    """
    with contextlib.ExitStack() as stack:
        if handed_over:
            listeners = of_descriptors(handed_over, handed_over=True, scheme=scheme)
        else:
            sockets = bind_all(hosts, port) if hosts else ()
            for each in sockets:
                stack.enter_context(each)
            if unix_path is not None:
                sockets = (*sockets, stack.enter_context(unix_socket.bound(unix_path)))
            if not sockets:
                raise OSError("nothing to listen on: server.host is off, and server.unix_socket is not set")
            listeners = Listeners(sockets=sockets, scheme=scheme)
        stack.callback(listeners.close)
        yield listeners
