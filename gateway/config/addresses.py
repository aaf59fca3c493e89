"""Addresses in settings: `HOST:PORT`, host names, URLs. Each function raises ValueError with what is wrong. Pure."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from gateway.keys.origins import host_of
from gateway.records.secret_names import is_address

OFF = "off"
MAX_HEADER = 64


def console_address(text: str) -> tuple[str, int] | None:
    """Return the host and the port of an address, or None for `off`.

    `"127.0.0.1:8081"` is `("127.0.0.1", 8081)`, `"[::1]:8081"` is `("::1", 8081)`.
    """
    if text.strip().lower() == OFF:
        return None
    host, colon, port = text.strip().rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535):
        raise ValueError(f"must be HOST:PORT, such as 127.0.0.1:8081, or {OFF!r}, not {text!r}")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise ValueError(f"must have brackets around an IPv6 address, such as [::1]:8081, not {text!r}")
    host_of(host)
    return host.removeprefix("[").removesuffix("]"), int(port)


def listening_hosts(host: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return the addresses of a text, such as `127.0.0.1, ::1`, or of a list; none of `off`. Each counts once."""
    parts = host.split(",") if isinstance(host, str) else host
    hosts = tuple(dict.fromkeys([part.strip().removeprefix("[").removesuffix("]") for part in parts]))
    if tuple(each.lower() for each in hosts) == (OFF,):
        return ()
    if not hosts or not all(hosts):
        raise ValueError(f"must name an address, such as 127.0.0.1, or be {OFF!r}")
    return hosts


def address_header(name: str) -> None:
    """Check the name of the header in which proxies say the client's address.

    What is kept of requests leaves out such headers by their names, where a project keeps no whole addresses: so one
    that could not be told from others is refused.
    """
    if not (
        name and name.isascii() and all(each.isalnum() or each in "-_" for each in name) and len(name) <= MAX_HEADER
    ):
        raise ValueError(f"must be a header's name, such as x-forwarded-for, not {name!r}")
    if not is_address(name.lower()):
        raise ValueError(f"{name!r} does not tell by its name that it holds an address, like x-real-ip or client-ip")


def host_names(texts: Iterable[str]) -> None:
    """Check a list of host names."""
    for text in texts:
        host_of(text)


def public_url(text: str) -> None:
    """Check the URL under which clients reach the gateway."""
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and not (parts.query or parts.fragment)
        good = good and parts.username is None and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good:
        raise ValueError(f"must be a URL such as https://collect.example.com, not {text!r}")
    host_of(text)
