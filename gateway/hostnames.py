"""Host names as people write them: what may stand in a list of allowed origins or be bound to a dialect. Pure."""

import ipaddress


def host_of(text: str) -> str:
    """Return the host that a person meant: lower case, without scheme, port and path, in its IDNA form.

    A page's address may be pasted whole, since an Origin is compared by host alone. Raises ValueError with a reason.
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
        name = host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise ValueError(f"{text!r} is not a host name; write it like shop.example.com") from None
    if not all(character.isalnum() or character in "-._" for character in name):
        raise ValueError(f"{text!r} is not a host name; write it like shop.example.com")
    return name


def origin_of(text: str) -> str:
    """Return one entry of a list of allowed origins: a host, `*.` and a host, or `*` for any. Raises ValueError."""
    written = text.strip()
    if written == "*":
        return written
    host = _authority(written)
    return f"*.{host_of(host[2:])}" if host.startswith("*.") else host_of(written)


def _authority(text: str) -> str:
    _, scheme, rest = text.partition("://")
    return (rest if scheme else text).partition("/")[0]


def _address(host: str) -> str:
    inside, closed, _ = host[1:].partition("]")
    try:
        return str(ipaddress.IPv6Address(inside if closed else host))
    except ValueError:
        raise ValueError(f"{host!r} is not an IPv6 address in brackets") from None
