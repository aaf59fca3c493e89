"""Having an address: a bound socket, and what to tell a person who asked for one that cannot be had."""

import errno
import socket

AN_ADDRESS = "a name or an address of this machine, such as 127.0.0.1"
NOT_OF_THE_PORT = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL}


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to an address, not listening yet; port 0 picks a free one.

    Raises OSError, whose message is one line that names the option to change.
    """
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, ValueError) as error:  # a ValueError is about a name that no resolver is asked for
        why = getattr(error, "strerror", None) or "it is not a host name"
        raise OSError(f"cannot listen on {host!r}: {why}; choose another --host: {AN_ADDRESS}") from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        option = "--host" if error.errno in NOT_OF_THE_PORT else "--port"
        raise OSError(f"cannot listen on {host} port {port}: {error.strerror}; choose another {option}") from error
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the URL that a bound socket stands for: `http://127.0.0.1:8080`, `http://[::1]:8080`."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
