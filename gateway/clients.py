"""Client addresses: which one to believe behind proxies, and what of it a project keeps. Pure."""

import enum
import ipaddress
from collections.abc import Iterable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Policy(enum.Enum):
    """What a project keeps of its clients' addresses; each keeps less than the one before."""

    AS_SENT = "as_sent"
    TRUNCATED = "truncated"  # the network: /24 of an IPv4 address, /48 of an IPv6 one
    NOTHING = "nothing"


def strictest(policies: Iterable[Policy]) -> Policy:
    """Return the policy that keeps least; where there is none, addresses are kept as sent."""
    return max(policies, key=list(Policy).index, default=Policy.AS_SENT)


def client_address(peer: str | None, forwarded_for: str | None, trusted: Iterable[Network]) -> str | None:
    """Return the client's address: the peer's, or what trusted proxies say in X-Forwarded-For.

    Each proxy appends whom it saw, so the list is read from its end, and only while the one who said it is trusted;
    anything further left is the client's own invention. What is not an address ends the list.
    """
    networks = tuple(trusted)
    if not networks or peer is None:
        return peer
    address = _parse(peer)
    if address is None:
        return peer
    for entry in reversed(forwarded_for.split(",") if forwarded_for else ()):
        if not any(address in network for network in networks):
            break
        named = _parse(entry.strip())
        if named is None:
            break
        address = named
    return str(address)


def kept(policy: Policy, client_ip: str | None) -> str | None:
    """Return what a policy leaves of a client's address; where it is truncated, what is no address is not kept."""
    if policy is Policy.AS_SENT or client_ip is None:
        return client_ip
    address = _parse(client_ip)
    if policy is Policy.NOTHING or address is None:
        return None
    prefix = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network((address.packed, prefix), strict=False).network_address)


def _parse(text: str) -> Address | None:
    """Return an address, written with or without a port; an IPv4 one in IPv6's clothes is itself again."""
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
