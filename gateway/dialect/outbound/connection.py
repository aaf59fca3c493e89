"""What a vendor takes from a visitor's connection, where the request is no longer the visitor's own. Pure."""

import ipaddress
from collections.abc import Mapping

from gateway.dialect.outbound.source import Source

_BROWSER: Mapping[str, str] = {"Sec-Fetch-Site": "cross-site"}


def is_header(value: str) -> bool:
    """Return whether a text can be the value of a header as it is: printable ASCII, with no space around it."""
    return value.isascii() and value.isprintable() and value == value.strip() and value != ""


def beside_connection(source: Source, origin: str | None = None) -> tuple[dict[str, str], str | None]:
    """Take the visitor's user agent and address; return the headers and the address of a request that shows them.

    The headers say that a browser sends it, by its `origin` if that is known: from others a vendor believes neither.
    What no connection can show is left in the source.
    """
    headers: dict[str, str] = {}
    address = None
    event = source.event["context"]
    if source.has("ip") and is_address(event["ip"]):
        address = source.take("ip")
    if source.has("user_agent") and is_header(event["user_agent"]):
        headers["User-Agent"] = source.take("user_agent")
    if headers or address is not None:
        headers |= _BROWSER if origin is None else {"Origin": origin}
    return headers, address


def is_address(text: str) -> bool:
    """Return whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
