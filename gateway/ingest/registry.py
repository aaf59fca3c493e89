"""Entry points to dialects, schemas compiled and claims checked, at start. The only reader of entry points."""

from collections.abc import Iterable, Mapping
from importlib.metadata import entry_points

import attrs

from gateway.dialect import CredentialKind, Dialect, Route, StaticRoute
from gateway.ingest.schema import BrokenSchema, Schema, load

GROUP = "gateway.dialects"


class RegistryError(Exception):
    """The installed dialects cannot be served together; the message names who and why."""


@attrs.frozen
class Installed:
    """A dialect with its routes for the switches that are on, its schemas compiled, its kinds by name."""

    dialect: Dialect
    routes: tuple[Route, ...]
    schemas: Mapping[str, Schema]
    kinds: Mapping[str, CredentialKind]

    def route(self, name: str | None) -> Route | None:
        """Return the route of a name; None if the dialect has no such route with these switches."""
        return next((route for route in self.routes if route.name == name), None)


def discover() -> tuple[Dialect, ...]:
    """Return the dialects of every installed distribution, by name. Raises RegistryError."""
    found: dict[str, Dialect] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        try:
            dialect = point.load()
        except Exception as error:  # a stranger's import may fail in any way; the start must say whose it was
            raise RegistryError(f"dialect {point.name} ({point.value}) cannot be loaded: {error}") from error
        if not isinstance(dialect, Dialect):
            raise RegistryError(f"dialect {point.name} ({point.value}) is not a gateway.dialect.Dialect")
        if dialect.name in found:
            raise RegistryError(f"two installed dialects are named {dialect.name}: remove one of their packages")
        found[dialect.name] = dialect
    return tuple(found.values())


def install(dialects: Iterable[Dialect], switches: Mapping[str, frozenset[str]]) -> tuple[Installed, ...]:
    """Return the dialects ready to serve. Raises RegistryError on clashing claims and broken schemas."""
    installed = tuple(_install(dialect, switches.get(dialect.name, frozenset())) for dialect in dialects)
    _check_claims(installed)
    return installed


def installed_by_name(switches: Mapping[str, frozenset[str]]) -> dict[str, Installed]:
    """Return every installed dialect, ready to serve, by its name. Raises RegistryError."""
    return {each.dialect.name: each for each in install(discover(), switches)}


def _install(dialect: Dialect, switches: frozenset[str]) -> Installed:
    unknown = sorted(switches - {switch.name for switch in dialect.switches})
    if unknown:
        raise RegistryError(f"dialect {dialect.name} has no switch {unknown[0]!r}")
    try:
        schemas = load(dialect.schemas)
    except BrokenSchema as error:
        raise RegistryError(f"dialect {dialect.name}: {error}") from error
    return Installed(dialect, dialect.routes(switches), schemas, {kind.name: kind for kind in dialect.kinds})


def _check_claims(installed: tuple[Installed, ...]) -> None:
    claimed: dict[str, str] = {}
    for each in installed:
        endpoints: tuple[Route | StaticRoute, ...] = (*each.routes, *each.dialect.static_routes)
        claims = [f"{endpoint.method} {path}" for endpoint in endpoints for path in endpoint.paths]
        claims += [f"unknown paths under /{prefix.lstrip('/')}" for prefix in each.dialect.prefixes]
        for claim in claims:
            other = claimed.setdefault(claim, each.dialect.name)
            if other != each.dialect.name:
                raise RegistryError(f"dialects {other} and {each.dialect.name} both claim {claim}: remove one of them")
