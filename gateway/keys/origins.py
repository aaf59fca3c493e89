"""Allowed origins: reading a host that a person wrote, and checking an Origin header against a list. Pure."""

import ipaddress

import idna

_LABEL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")


def host_of(text: str) -> str:
    """Return the host that a person meant, in the form browsers send: lower case, without scheme, port and path.

    A page's address may be pasted whole: `https://Shop.example:8443/x` is `shop.example`. Names in other scripts become
    A-labels as in browsers (UTS 46, non-transitional): `straße.example` is `xn--strae-oqa.example`. Raises ValueError
    with the reason.
    """
    host = _authority(text.strip())
    if host.startswith("["):
        return f"[{_address(host)}]"
    host = host.partition(":")[0].removesuffix(".")
    if not host:
        raise ValueError(f"{text!r} names no host; write it like shop.example.com")
    if host == "null":
        raise ValueError("'null' is the Origin of pages that hide theirs; it names no host")
    try:
        name = host.lower() if host.isascii() else idna.encode(host, uts46=True, transitional=False).decode("ascii")
    except idna.IDNAError:
        raise ValueError(f"{text!r} is not a host name; write it like shop.example.com") from None
    labels = name.removesuffix(".").split(".")
    if not all(label and len(label) <= 63 and _LABEL.issuperset(label) for label in labels):
        raise ValueError(f"{text!r} is not a host name; write it like shop.example.com")
    return ".".join(labels)


def origin_of(text: str) -> str:
    """Return one entry of a list of allowed origins: a host, `*.` and a host, or `*` for any. Raises ValueError."""
    written = text.strip()
    if written == "*":
        return written
    host = _authority(written)
    return f"*.{host_of(host[2:])}" if host.startswith("*.") else host_of(written)


def origin_allowed(allowed: tuple[str, ...], origin: str | None, required: bool = False) -> bool:
    """Return whether a list of allowed hosts admits an Origin header; scheme and port are ignored.

    `shop.example` and `*.shop.example` both admit that host, with or without `www.`, and its subdomains. `*` and an
    empty list admit everything. A missing Origin (None) is admitted unless one is `required`; `null` never is, unless
    everything is.
    """
    if not allowed or "*" in allowed:
        return True
    if origin is None:
        return not required
    host = host_of_origin(origin)
    for entry in allowed:
        name = site_name(entry)
        if host == name or host.endswith("." + name):
            return True
    return False


def site_name(entry: str) -> str:
    """Return the host that an entry of a list of allowed origins stands for, without `*.` and `www.`."""
    return entry.lower().removeprefix("*.").removesuffix(":*").removeprefix("www.")


def host_of_origin(origin: str) -> str:
    """Return the host in an Origin header, in lower case, without port and `www.`."""
    authority = origin.lower().partition("://")[2].partition("/")[0]
    host = authority if authority.endswith("]") else authority.rpartition(":")[0] or authority
    return host.removeprefix("www.")


def _authority(text: str) -> str:
    _, scheme, rest = text.partition("://")
    return (rest if scheme else text).partition("/")[0]


def _address(host: str) -> str:
    inside, closed, _ = host[1:].partition("]")
    try:
        return str(ipaddress.IPv6Address(inside if closed else host))
    except ValueError:
        raise ValueError(f"{host!r} is not an IPv6 address in brackets") from None
