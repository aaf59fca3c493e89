"""Which dialect and endpoint a path belongs to: vendor paths at the root, mounts, bound hosts, owners. Pure."""

from collections.abc import Iterable, Mapping
from urllib.parse import unquote

import attrs

from gateway.dialect import Route, StaticRoute
from gateway.dialect.value_class import value_class
from gateway.ingest.registry import Installed

Endpoint = Route | StaticRoute


@value_class
class Match:
    """Where a request landed. No endpoint means nothing matched; `allowed` are the methods its path does have."""

    installed: Installed
    path: str
    endpoint: Endpoint | None = None
    allowed: tuple[str, ...] = ()


@attrs.frozen
class _Table:
    """The endpoints of one or more dialects by path, then method."""

    paths: dict[str, dict[str, Match]] = attrs.field(factory=dict)

    def add(self, installed: Installed, endpoint: Endpoint, paths: Iterable[str]) -> None:
        for path in paths:
            self.paths.setdefault(path, {})[endpoint.method] = Match(installed, path, endpoint)


def normalize(path: str) -> str:
    """Return a path unquoted, with doubled slashes collapsed and trailing ones dropped."""
    return "/" + "/".join([part for part in unquote(path).split("/") if part])


class Router:
    """Looks up requests among the installed dialects; `hosts` binds host names to one dialect each."""

    def __init__(self, installed: Iterable[Installed], hosts: Mapping[str, str]) -> None:
        self._root = _Table()
        self._mounts: dict[str, tuple[Installed, _Table]] = {}
        self._owners: list[tuple[str, Installed]] = []
        for each in installed:
            table = _Table()
            for route in each.routes:
                self._root.add(each, route, route.paths)
                table.add(each, route, (*route.paths, *route.mount_only_paths))
            for fixed in each.dialect.static_routes:
                self._root.add(each, fixed, fixed.paths)
                table.add(each, fixed, fixed.paths)
            self._mounts[each.dialect.name] = (each, table)
            self._owners += [(prefix, each) for prefix in each.dialect.prefixes]
        self._owners.sort(key=lambda owner: len(owner[0]), reverse=True)
        self._hosts = {host.lower(): self._mounts[name] for host, name in hosts.items()}

    def match(self, host: str, method: str, path: str) -> Match | None:
        """Return where a request belongs, or None when no dialect owns its path. `path` is raw, without the query."""
        if self._hosts:
            bound = self._hosts.get(host.partition(":")[0].lower())
            if bound is not None:
                return _look_up(*bound, method, normalize(path))
        found = self._root.paths.get(path)
        if found is None:
            path = normalize(path)
            found = self._root.paths.get(path)
        if found is not None:
            return _among(found, method, path)
        mount, _, rest = path[1:].partition("/")
        if mount in self._mounts:
            return _look_up(*self._mounts[mount], method, "/" + rest)
        for prefix, owner in self._owners:
            if f"{path}/".startswith(prefix):
                return Match(owner, path)
        return None


def _look_up(installed: Installed, table: _Table, method: str, path: str) -> Match:
    found = table.paths.get(path)
    return Match(installed, path) if found is None else _among(found, method, path)


def _among(found: dict[str, Match], method: str, path: str) -> Match:
    return found.get(method) or Match(next(iter(found.values())).installed, path, allowed=tuple(found))
