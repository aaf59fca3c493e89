"""Having an address: a bound socket, and what to tell a person who asked for one that cannot be had."""

import errno
import os
import socket
from collections.abc import Sequence
from typing import cast

AN_ADDRESS = "a name or an address of this machine, such as 127.0.0.1"
NOT_OF_THE_PORT = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL}
UNIX_SCHEME = "unix:"


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to an address, not listening yet; port 0 picks a free one.

    Raises OSError, whose message is one line that names the option to change.
    """
    return bind_all([host], port)[0]


def bind_all(hosts: Sequence[str], port: int) -> tuple[socket.socket, ...]:
    """Return a socket for each address, all on one port; of port 0 the first picks it.

    `::` takes IPv4 too, unless an IPv4 address is among the others. Raises OSError as `bind` does, and then has none.
    """
    found = [_resolved(host, port) for host in hosts]
    only_v6 = any(family == socket.AF_INET for family, _ in found)
    listeners: list[socket.socket] = []
    try:
        for host, (family, address) in zip(hosts, found, strict=True):
            chosen = listeners[0].getsockname()[1] if listeners else port
            listeners.append(_bound(host, family, (address[0], chosen, *address[2:]), only_v6=only_v6))
    except OSError:
        for each in listeners:
            each.close()
        raise
    return tuple(listeners)


def _resolved(host: str, port: int) -> tuple[int, tuple[str | int, ...]]:
    try:
        family, _kind, _protocol, _name, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, ValueError) as error:  # a ValueError is about a name that no resolver is asked for
        why = getattr(error, "strerror", None) or "it is not a host name"
        raise OSError(f"cannot listen on {host!r}: {why}; choose another --host: {AN_ADDRESS}") from error
    return family, cast(tuple[str | int, ...], address)


def _bound(host: str, family: int, address: tuple[str | int, ...], *, only_v6: bool) -> socket.socket:
    try:
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only_v6)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        option = "--host" if error.errno in NOT_OF_THE_PORT else "--port"
        raise OSError(
            f"cannot listen on {host} port {address[1]}: {error.strerror}; choose another {option}"
        ) from error
    return listener


def on_same_address(listener: socket.socket) -> socket.socket:
    """Return another socket on a bound socket's address; both have SO_REUSEPORT then.

    Among sockets with SO_REUSEPORT the kernel spreads connections evenly, and gives no more to a process that died.
    With one socket for all, the spread is uneven: measured, one of two processes at times got all of 32 connections.
    """
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    own = socket.socket(listener.family, listener.type)
    try:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if listener.family == socket.AF_INET6:
            only_v6 = listener.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
            own.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only_v6)
        own.bind(listener.getsockname())
    except OSError:
        own.close()
        raise
    return own


def url_of(listener: socket.socket, scheme: str = "http") -> str:
    """Return the URL that a bound socket stands for: `http://127.0.0.1:8080`, `http://[::1]:8080`.

    Of a Unix socket it is `unix:/run/gateway.sock`, or `unix:@name` where it has no file.
    """
    address = listener.getsockname()
    if listener.family == socket.AF_UNIX:
        name = address if isinstance(address, str) else "@" + os.fsdecode(address[1:])
        return f"{UNIX_SCHEME}{name}"
    return url_to(address[0], address[1], scheme)


def callable_url(url: str) -> str:
    """Return a URL as the examples of clients need it: in the place of a Unix socket's stands http://localhost.

    `curl --unix-socket PATH http://localhost/...` calls that.
    """
    return "http://localhost" if url.startswith(UNIX_SCHEME) or not url else url


def url_to(host: str, port: int, scheme: str = "http") -> str:
    """Return the URL of a host, which may be an IPv6 address, and a port."""
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
