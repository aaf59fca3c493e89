"""Which dialect and endpoint a request is for, by its host, method and path. Pure."""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import unquote

import attrs

from gateway.dialect.contract import Route, StaticRoute
from gateway.dialect.value_class import value_class
from gateway.ingest.registry import Installed

Endpoint = Route | StaticRoute
NO_VARIABLES: Mapping[str, str] = {}
MAX_HOST = 255
"""How many characters a host name may have (RFC 1035), and more than an address has."""


@value_class
class Match:
    """Where a request belongs. Without an endpoint nothing matched; `allowed` are the methods that the path has.

    A HEAD request belongs where GET does: `methods` names it too.
    """

    installed: Installed
    path: str
    endpoint: Endpoint | None = None
    allowed: tuple[str, ...] = ()
    variables: Mapping[str, str] = NO_VARIABLES

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that may be used on the path, as an Allow header lists them."""
        named = [each for own in self.allowed for each in ((own, "HEAD") if own == "GET" else (own,))]
        return tuple(dict.fromkeys(named))


@attrs.frozen
class _Table:
    """The endpoints of one or more dialects by path, then method; `patterns` are the paths with a variable segment."""

    paths: dict[str, dict[str, Match]] = attrs.field(factory=dict)
    patterns: dict[tuple[str, str, str], dict[str, Match]] = attrs.field(factory=dict)

    def add(self, installed: Installed, endpoint: Endpoint, path: str) -> None:
        """Add an endpoint at a path that no other dialect has."""
        match = Match(installed, path, endpoint)
        before, opening, rest = path.partition("{")
        if opening:
            name, _, after = rest.partition("}")
            self.patterns.setdefault((before, name, after), {})[endpoint.method] = match
        else:
            self.paths.setdefault(path, {})[endpoint.method] = match

    def find(self, method: str, path: str) -> Match | None:
        """Return where a request with a normalized path belongs; None if the path is not in the table."""
        found = self.paths.get(path)
        if found is not None:
            return _by_method(found, method, path)
        for (before, name, after), by_method in self.patterns.items():
            value = path[len(before) : len(path) - len(after)]
            if value and "/" not in value and path == f"{before}{value}{after}":
                match = _by_method(by_method, method, path)
                return attrs.evolve(match, path=path, variables={name: value})
        return None

    def routes(self) -> Iterator[tuple[str, str, Installed]]:
        """Yield method, path and dialect of each endpoint."""
        for by_method in (*self.paths.values(), *self.patterns.values()):
            for method, match in by_method.items():
                yield method, match.path, match.installed


def host_name(header: str) -> str:
    """Return the name in a Host header: in lower case, without its port and a final dot, IPv6 in its shortest form.

    `Shop.Example.com.:8080` gives `shop.example.com`, and `[2001:DB8::0:1]:8080` gives `[2001:db8::1]`.
    """
    if header[:1] != "[":
        return header.partition(":")[0].lower().removesuffix(".")
    name, closed, _ = header[:MAX_HOST].partition("]")
    try:
        return f"[{ipaddress.IPv6Address(name[1:])}]" if closed else ""
    except ValueError:
        return ""


def normalize(path: str) -> str:
    """Return a path unquoted, without doubled and trailing slashes."""
    return "/" + "/".join([part for part in unquote(path).split("/") if part])


class Router:
    """Finds the endpoint of a request among the installed dialects.

    `hosts` are dialect names by the host name that is bound to the dialect. If several dialects claim a path at the
    root, or the unknown paths under a prefix, the first in `root_order` gets it, else the first by name; the others are
    served under their mounts (`/<dialect>/...`) and on their hosts.
    """

    def __init__(
        self, installed: Iterable[Installed], hosts: Mapping[str, str], root_order: Sequence[str] = ()
    ) -> None:
        ranks = {name: rank for rank, name in enumerate(root_order)}
        ordered = sorted(installed, key=lambda each: (ranks.get(each.dialect.name, len(ranks)), each.dialect.name))
        self._root = _Table()
        self._mounts: dict[str, tuple[Installed, _Table]] = {}
        self._owners: list[tuple[str, Installed]] = []
        for each in ordered:
            table = _Table()
            self._mounts[each.dialect.name] = (each, table)
            claimed = {path for _, path, _ in self._root.routes()}
            endpoints: tuple[Endpoint, ...] = (*each.routes, *each.dialect.static_routes)
            for endpoint in endpoints:
                for path in endpoint.paths:
                    table.add(each, endpoint, path)
                    if each.at_root and path not in claimed:
                        self._root.add(each, endpoint, path)
                for path in endpoint.mount_only_paths if isinstance(endpoint, Route) else ():
                    table.add(each, endpoint, path)
            taken = {prefix for prefix, _ in self._owners}
            self._owners += [(prefix, each) for prefix in each.dialect.prefixes if each.at_root and prefix not in taken]
        self._owners.sort(key=lambda owner: len(owner[0]), reverse=True)
        self._hosts = {host_name(host): self._mounts[name] for host, name in hosts.items()}

    def match(self, host: str, method: str, path: str) -> Match | None:
        """Return where a request belongs; None if no dialect has its path. `path` is as sent, without the query."""
        if self._hosts:
            bound = self._hosts.get(host_name(host))
            if bound is not None:
                return self._match_bound(*bound, method, normalize(path))
        found = self._root.paths.get(path)
        if found is not None:
            return _by_method(found, method, path)
        path = normalize(path)
        match = self._root.find(method, path) or self._match_mount(method, path)
        if match is not None:
            return match
        for prefix, owner in self._owners:
            if f"{path}/".startswith(prefix):
                return Match(owner, path)
        return None

    def dialects(self) -> tuple[str, ...]:
        """Return the names of the dialects that are served, in an order that the configuration settles."""
        return tuple(self._mounts)

    def routes(self) -> Iterator[tuple[str, str, str]]:
        """Yield method, path and dialect of everything that is served: at the root, under mounts, on bound hosts."""
        yield from ((method, path, each.dialect.name) for method, path, each in self._root.routes())
        for name, (_, table) in self._mounts.items():
            yield from ((method, f"/{name}{path}", name) for method, path, _ in table.routes())
        for host, (each, table) in self._hosts.items():
            yield from ((method, f"{host}{path}", each.dialect.name) for method, path, _ in table.routes())

    def _match_mount(self, method: str, path: str) -> Match | None:
        mount, _, rest = path[1:].partition("/")
        if mount not in self._mounts:
            return None
        installed, table = self._mounts[mount]
        return table.find(method, "/" + rest) or Match(installed, "/" + rest)

    def _match_bound(self, installed: Installed, table: _Table, method: str, path: str) -> Match:
        """Return where a request to a bound host belongs; its dialect's mount is served there too."""
        match = table.find(method, path)
        if match is None and path.startswith(f"/{installed.dialect.name}/"):
            match = table.find(method, path.removeprefix(f"/{installed.dialect.name}"))
        return match or Match(installed, path)


def _by_method(found: dict[str, Match], method: str, path: str) -> Match:
    match = found.get(method)
    if match is None and method == "HEAD":
        match = found.get("GET")
    return match or Match(next(iter(found.values())).installed, path, allowed=tuple(found))
