"""What a project keeps of its clients' addresses. Pure."""

import enum
import ipaddress
from collections.abc import Iterable

from gateway.http.client_address import parse_address


class IpPolicy(enum.Enum):
    """What a project keeps of its clients' addresses, from all to nothing."""

    KEEP = "as_sent"
    TRUNCATE = "truncated"  # the network: /24 of an IPv4 address, /48 of an IPv6 one
    DROP = "nothing"


def strictest(policies: Iterable[IpPolicy]) -> IpPolicy:
    """Return the policy that keeps the least; KEEP if there are none."""
    return max(policies, key=list(IpPolicy).index, default=IpPolicy.KEEP)


def apply(policy: IpPolicy, client_ip: str | None) -> str | None:
    """Return what a policy keeps of a client's address, or None; TRUNCATE drops text that is not an address."""
    if policy is IpPolicy.KEEP or client_ip is None:
        return client_ip
    address = parse_address(client_ip)
    if policy is IpPolicy.DROP or address is None:
        return None
    prefix = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network((address.packed, prefix), strict=False).network_address)
