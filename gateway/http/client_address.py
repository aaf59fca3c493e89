"""Which address is the client's, behind proxies. Pure."""

import ipaddress
from collections.abc import Callable, Iterable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

ClientIp = Callable[[str | None, str | None], str | None]
"""Returns a client's address, given the peer's and the X-Forwarded-For header."""


def client_ip(trusted: Iterable[Network]) -> ClientIp:
    """Return `client_address` for a set of trusted proxies."""
    networks = tuple(trusted)
    if not networks:
        return lambda peer, _forwarded_for: peer
    return lambda peer, forwarded_for: client_address(peer, forwarded_for, networks)


def client_address(peer: str | None, forwarded_for: str | None, trusted: Iterable[Network]) -> str | None:
    """Return the client's address: the peer's, or what trusted proxies say in X-Forwarded-For.

    Each proxy appends the address it saw, so the list is read from its end, and only as long as the address before was
    a trusted proxy's; anything further left may be made up. What is not an address ends the list.
    """
    networks = tuple(trusted)
    if not networks or peer is None:
        return peer
    address = parse_address(peer)
    if address is None:
        return peer
    for entry in reversed(forwarded_for.split(",") if forwarded_for else ()):
        if not any(address in network for network in networks):
            break
        named = parse_address(entry.strip())
        if named is None:
            break
        address = named
    return str(address)


def parse_address(text: str) -> Address | None:
    """Return an address that is written with or without a port; IPv4-mapped IPv6 addresses are returned as IPv4."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return address if mapped is None else mapped
