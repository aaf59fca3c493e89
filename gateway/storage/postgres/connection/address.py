"""Where a database is: a URL, its hosts one by one, and the name under which messages show it. No connection here."""

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

import attrs

from gateway.store_error import StoreError

SHOWN = {"host", "port", "sslmode", "target_session_attrs", "dbname"}
"""The parameters of a URL that are no secrets and tell one database from another."""
KINDS = ("read-write", "primary", "any", "read-only", "standby", "prefer-standby")
"""What `target_session_attrs` can ask of a host."""
DEFAULT_PORT = "5432"
MAX_PORT = 65_535
FORM = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE?PARAMETER=VALUE"
ESCAPES = "in a name or a password, escape / ? # @ [ ] % as %2F %3F %23 %40 %5B %5D %25"
Host = tuple[str, int] | None
"""A host and its port; None is what the URL says."""
_UNFIT = re.compile(r"[\x00-\x20\x7f]")


@attrs.frozen
class Address:
    """A database, as asyncpg takes it: `postgresql://user:password@host:port,host:port/name?parameter=value`."""

    url: str = attrs.field(repr=False)

    def __attrs_post_init__(self) -> None:
        """Refuse what no URL is. Raises StoreError, which tells nothing of the URL: where it is wrong, any part of it
        may be one of the password.
        """
        if _UNFIT.search(self.url):
            raise StoreError("the storage URL has white space or control characters in it; escape them as %20")
        try:
            parts = urlsplit(self.url)
            query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
            is_whole = _is_whole(self.url, parts, query) and all(map(_is_host, _hosts(parts, query)))
        except ValueError:
            is_whole = False
        if not is_whole:
            raise StoreError(f"the storage URL is not of the form {FORM}; {ESCAPES}")
        if query.get("target_session_attrs", KINDS[0]) not in KINDS:
            raise StoreError(f"target_session_attrs of the storage URL must be one of {', '.join(KINDS)}")

    @property
    def name(self) -> str:
        """Return the URL as messages show it: without the password, and without parameters that may be secret."""
        parts = urlsplit(self.url)
        login, at, hosts = parts.netloc.rpartition("@")
        query = urlencode([each for each in parse_qsl(parts.query) if each[0] in SHOWN], safe="/,")
        shown = f"{parts.scheme}://{login.partition(':')[0]}{at}{hosts}{parts.path}"
        return f"{shown}?{query}" if query else shown

    def hosts(self) -> list[Host]:
        """Return the hosts of a URL that names several, each to be tried alone; else one None.

        asyncpg gives all hosts one deadline, so that the first one, if it hangs, would keep it from the second.
        """
        parts = urlsplit(self.url)
        hosts = _hosts(parts, dict(parse_qsl(parts.query)))
        return [(host, int(port)) for host, port in hosts] if len(hosts) > 1 else [None]


def _is_whole(url: str, parts: SplitResult, query: Mapping[str, str]) -> bool:
    """Return whether no character of the password ends the part of the URL that it belongs to."""
    has_user = "@" in parts.netloc or "user" in query
    rest = parts.path if has_user else parts.path + parts.query
    return url.startswith(f"{parts.scheme}://") and "#" not in url and "@" not in rest


def _hosts(parts: SplitResult, query: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the hosts of a URL with their ports, as text; a URL without a host has one that is empty."""
    listed = query.get("host") or parts.netloc.rpartition("@")[2]
    ports = query.get("port", "").split(",")
    found: list[tuple[str, str]] = []
    for place, each in enumerate(listed.split(",")):
        host, port = _split(each)
        found.append((host, port or ports[min(place, len(ports) - 1)] or DEFAULT_PORT))
    return found if len(found) == 1 or all(host for host, _ in found) else [("", "")]


def _is_host(host: tuple[str, str]) -> bool:
    """Return whether a host and its port can be looked up. Raises ValueError on a name with an impossible label."""
    name, port = host
    if not name.startswith("/"):
        name.encode("idna")
    return port.isascii() and port.isdecimal() and 0 < int(port[:6]) <= MAX_PORT


def _split(host: str) -> tuple[str, str]:
    """Return a host and its port, which is empty if there is none; an IPv6 address stands in brackets."""
    if host.startswith("["):
        inner, _, port = host[1:].partition("]")
        return inner, port.removeprefix(":")
    name, _, port = host.partition(":")
    return unquote(name), port
