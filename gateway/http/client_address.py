"""Which address is the client's, behind proxies. Pure."""

import ipaddress
from collections.abc import Callable, Iterable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

ClientIp = Callable[[str | None, str | None], str | None]
"""Returns a client's address, given the peer's and the X-Forwarded-For header."""


MAX_HOPS = 64
"""How many entries of X-Forwarded-For are looked at; each proxy on the way adds one."""
MAX_ENTRY = 64
"""How many characters an address may have, with its port: IPv6 has 45."""

_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


def client_ip(trusted: Iterable[Network]) -> ClientIp:
    """Return `client_address` for a set of trusted proxies."""
    networks = tuple([_unmapped(network) for network in trusted])
    if not networks:
        return lambda peer, _forwarded_for: peer_address(peer)
    return lambda peer, forwarded_for: client_address(peer, forwarded_for, networks)


def peer_address(peer: str | None) -> str | None:
    """Return a peer's address as a socket gives it, IPv4 as IPv4: a socket of both families has it as `::ffff:...`."""
    if peer is None or not peer.startswith("::ffff:"):
        return peer
    address = parse_address(peer)
    return peer if address is None else str(address)


def client_address(peer: str | None, forwarded_for: str | None, trusted: Iterable[Network]) -> str | None:
    """Return the client's address: the peer's, or what trusted proxies say in X-Forwarded-For.

    Each proxy appends the address it saw, so the list is read from its end, and only as long as the address before was
    a trusted proxy's; anything further left may be made up. What is not an address ends the list. Empty entries say
    nothing (RFC 9110, 5.6.1).
    """
    networks = tuple(trusted)
    if not networks or peer is None:
        return peer_address(peer)
    address = parse_address(peer)
    if address is None:
        return peer
    for entry in reversed(forwarded_for.rsplit(",", MAX_HOPS)[-MAX_HOPS:] if forwarded_for else ()):
        if not entry or entry.isspace():
            continue
        if not any(address in network for network in networks):
            break
        named = parse_address(entry)
        if named is None:
            break
        address = named
    return str(address)


def parse_address(text: str) -> Address | None:
    """Return an address, written with or without a port, quotes or spaces; IPv4-mapped IPv6 is returned as IPv4.

    `"[2001:db8::1]:443"`, in quotes as some proxies write it, is `2001:db8::1`.
    """
    if len(text) > MAX_ENTRY:
        return None
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1].strip()
    if text.startswith("["):
        text, closed, port = text[1:].partition("]")
        if not closed or (port and not port.startswith(":")):
            return None
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return address if mapped is None else mapped


def _unmapped(network: Network) -> Network:
    """Return a network of IPv4-mapped addresses as the IPv4 network that it is."""
    if isinstance(network, ipaddress.IPv4Network) or not network.subnet_of(_MAPPED):
        return network
    return ipaddress.IPv4Network((int(network.network_address) & 0xFFFFFFFF, network.prefixlen - 96))
