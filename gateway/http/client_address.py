"""Which address is the client's, behind proxies. Pure."""

import ipaddress
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping

from gateway.http.forwarded import addresses_in

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

ClientIp = Callable[[str | None, Mapping[str, str]], str | None]
"""Returns a client's address, given the peer's and the request's headers by their names in lower case."""


X_FORWARDED_FOR, FORWARDED = "x-forwarded-for", "forwarded"
UNIX = "unix"
"""Stands for the peer's address on a Unix socket: a program of this machine, trusted like a proxy."""
MAX_HOPS = 64
"""How many entries of a header are looked at; each proxy on the way adds one."""
MAX_ENTRY = 64
"""How many characters an address may have, with its port: IPv6 has 45."""

_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


def client_ip(trusted: Iterable[Network], header: str = X_FORWARDED_FOR) -> ClientIp:
    """Return `client_address` for a set of trusted proxies, which write the client's address into a header."""
    networks = tuple([_unmapped(network) for network in trusted])
    name = header.lower()
    entries = _entries_of(name)

    def address(peer: str | None, headers: Mapping[str, str]) -> str | None:
        if peer == UNIX or networks:
            return client_address(peer, entries(headers.get(name, "")), networks)
        return peer_address(peer)

    return address


def peer_of(name: object, family: int = socket.AF_INET) -> str | None:
    """Return a peer's address from its name and family as a socket gives them; UNIX for any peer on a Unix socket."""
    if family == socket.AF_UNIX:
        return UNIX
    return peer_address(str(name[0])) if isinstance(name, tuple) and name else None


def peer_address(peer: str | None) -> str | None:
    """Return a peer's address as a socket gives it, IPv4 as IPv4: a socket of both families has it as `::ffff:...`."""
    if peer is None or not peer.startswith("::ffff:"):
        return peer
    address = parse_address(peer)
    return peer if address is None else str(address)


def client_address(peer: str | None, entries: Iterable[str], trusted: Iterable[Network]) -> str | None:
    """Return the client's address: the peer's, or what trusted proxies say in the `entries` of a header, last first.

    Each proxy appends the address it saw, so the list is read from its end, and only as long as the address before was
    a trusted proxy's; anything further left may be made up. What is not an address ends the list. Empty entries say
    nothing (RFC 9110, 5.6.1). Of a Unix socket's peer nothing is known but what the header says.
    """
    networks = tuple(trusted)
    address = None if peer is None or peer == UNIX else parse_address(peer)
    if address is None and peer != UNIX:
        return peer
    for entry in entries:
        if not entry or entry.isspace():
            continue
        if address is not None and not any(address in network for network in networks):
            break
        named = parse_address(entry)
        if named is None:
            break
        address = named
    return None if address is None else str(address)


def _entries_of(header: str) -> Callable[[str], Iterable[str]]:
    """Return how the entries are found in a header's value. All but two kinds of headers name one address alone."""
    if header == FORWARDED:
        return lambda value: addresses_in(value, MAX_HOPS)
    if header.endswith(X_FORWARDED_FOR.removeprefix("x-")):
        return _listed
    return lambda value: (value,)


def _listed(value: str) -> Iterator[str]:
    """Yield the last entries of a list, last first."""
    return reversed(value.rsplit(",", MAX_HOPS)[-MAX_HOPS:])


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
