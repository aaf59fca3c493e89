"""How the values of a document become those of settings, a function a type. Raises TypeError and ValueError. Pure."""

import ipaddress
from collections.abc import Callable
from typing import Any

from gateway.config.errors import did_you_mean
from gateway.http.client_address import Network
from gateway.ingest.clients.address_policy import IpPolicy


def strictly(kind: type, expected: str, *also: type) -> Callable[[object, object], Any]:
    """Return a hook that takes values of a type as they are: no number from a string, no string from a number."""

    def hook(value: object, _: object) -> Any:
        if type(value) is kind or type(value) in also:
            return value
        raise TypeError(f"must be {expected}, not {shown(value)}")

    return hook


def shown(value: object) -> str:
    """Return a value as an error shows it: `'80'`, `80`, `true`."""
    return str(value).lower() if isinstance(value, bool) else repr(value)


def networks(value: object, _: object) -> tuple[Network, ...]:
    """Return the networks of a list such as `["10.0.0.0/8", "::1"]`."""
    if not isinstance(value, list):
        raise TypeError(f"must be a list of addresses and networks, not {shown(value)}")
    return tuple(_network(each) for each in value)


def _network(value: object) -> Network:
    try:
        return ipaddress.ip_network(str(value))
    except ValueError as error:
        raise ValueError(f"{error}; write an address or a network, like 10.0.0.0/8") from None


def names(value: object, _: object) -> tuple[str, ...]:
    """Return the names of a list such as `["databuddy", "appizer"]`."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise TypeError(f"must be a list of names, not {shown(value)}")
    return tuple(value)


def addresses(value: object, _: object) -> str | tuple[str, ...]:
    """Return a text as it is, and the texts of a list."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return tuple(value)
    raise TypeError(f"must be an address or a list of addresses, not {shown(value)}")


def address_policy(value: object, _: object) -> IpPolicy:
    """Return the policy of a name such as `truncated`."""
    try:
        return IpPolicy(value)
    except ValueError:
        hint = did_you_mean(str(value), [policy.value for policy in IpPolicy])
        raise ValueError(f"{shown(value)} is not an address policy; {hint}") from None
