"""Finds the installed dialects and checks them at start. The only reader of entry points."""

from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import entry_points

import attrs

from gateway.dialect.contract import API_VERSION, CredentialKind, Dialect, OnInvalid, Route, Submission
from gateway.dialect.message import Request
from gateway.dialect.outcome import Refusal
from gateway.ingest.schema import BrokenSchema, Schema, load, of_stamped

GROUP = "gateway.dialects"
CANONICAL = "jsonschemas.canonical"
STAMPED = frozenset({"project", "dialect", "received_at"})
"""Fields of an event that neither a dialect nor a client decides."""
PROBES = (b"{}", b"[{}]")
"""Bodies that every route has to parse at start: the submissions show most mistakes of a dialect."""
PROBE = "probe"
"""Stands in a variable segment of their path."""


class RegistryError(Exception):
    """A dialect that cannot be served; the message is one line that names it and what is wrong."""


@attrs.frozen
class Installed:
    """A dialect that is ready to serve: its routes, its schemas (compiled) and its credential kinds by name.

    `canonical` is the schema that each of its events must meet, `stamped` the same for events with the fields that the
    gateway stamps on them. Without `at_root` it is served only under its mount and on the hosts that are bound to it.
    """

    dialect: Dialect
    routes: tuple[Route, ...]
    schemas: Mapping[str, Schema]
    kinds: Mapping[str, CredentialKind]
    canonical: Schema
    at_root: bool = True
    stamped: Schema = attrs.field(init=False)

    @stamped.default
    def _stamped(self) -> Schema:
        return of_stamped(self.canonical, STAMPED)

    def route(self, name: str | None) -> Route | None:
        """Return the route of a name; None if the dialect has no such route with these switches."""
        return next((route for route in self.routes if route.name == name), None)


def discover() -> tuple[Dialect, ...]:
    """Return the dialects of all installed distributions, ordered by name. Raises RegistryError."""
    found: dict[str, Dialect] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        try:
            dialect = point.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # an import may end in any way; the start has to say which dialect it was
            said = text_of(error, str if isinstance(error, Exception) else repr)
            raise RegistryError(f"dialect {point.name} ({point.value}) cannot be loaded: {said}") from error
        if not isinstance(dialect, Dialect):
            raise RegistryError(f"dialect {point.name} ({point.value}) is not a gateway.dialect.Dialect")
        if dialect.api_version != API_VERSION:
            raise RegistryError(
                f"dialect {dialect.name} was written for version {dialect.api_version} of the contract, this gateway "
                f"has version {API_VERSION}: install versions that fit"
            )
        if dialect.name in found:
            raise RegistryError(f"two installed dialects are named {dialect.name}: remove one of their packages")
        found[dialect.name] = dialect
    return tuple(found.values())


def text_of(error: BaseException, text: Callable[[BaseException], str]) -> str:
    """Return the `str` or the `repr` of a dialect's exception, which code of its own may make; else its type's name."""
    try:
        return text(error) or type(error).__name__
    except Exception:
        return type(error).__name__


def install(
    dialects: Iterable[Dialect], switches: Mapping[str, frozenset[str]], mount_only: Iterable[str] = ()
) -> tuple[Installed, ...]:
    """Return the dialects, checked and ready to serve. Raises RegistryError.

    `switches` are the switches that are on, by dialect name; the dialects in `mount_only` are not served at the root.
    """
    hidden = frozenset(mount_only)
    canonical = load(CANONICAL)["event"]
    return tuple(
        _install(dialect, switches.get(dialect.name, frozenset()), canonical, at_root=dialect.name not in hidden)
        for dialect in dialects
    )


def installed_by_name(switches: Mapping[str, frozenset[str]]) -> dict[str, Installed]:
    """Return all installed dialects, ready to serve, by name. Raises RegistryError."""
    return {each.dialect.name: each for each in install(discover(), switches)}


def _install(dialect: Dialect, switches: frozenset[str], canonical: Schema, *, at_root: bool) -> Installed:
    try:
        unknown = sorted(switches - {switch.name for switch in dialect.switches})
        if unknown:
            raise RegistryError(f"it has no switch {unknown[0]!r}")
        try:
            schemas, routes = load(dialect.schemas), dialect.routes_for(switches)
        except (BrokenSchema, ValueError) as error:
            raise RegistryError(str(error)) from error
        installed = Installed(
            dialect=dialect,
            routes=routes,
            schemas=schemas,
            kinds={kind.name: kind for kind in dialect.kinds},
            canonical=canonical,
            at_root=at_root,
        )
        _check(installed)
    except RegistryError as error:
        raise RegistryError(f"dialect {dialect.name}: {error}") from error.__cause__
    return installed


def _check(installed: Installed) -> None:
    """Check what the dialect's parts must have in common. Raises RegistryError, without the dialect's name."""
    names = [route.name for route in installed.routes]
    for route in installed.routes:
        if names.count(route.name) > 1:
            raise RegistryError(f"two routes are named {route.name}")
        if route.scope is not None and route.scope not in installed.dialect.scopes:
            raise RegistryError(f"route {route.name} needs the scope {route.scope!r}, which the dialect does not have")
        if route.item_sites and route.on_invalid is OnInvalid.REJECT_REQUEST:
            raise RegistryError(f"route {route.name} has item_sites, but rejects whole requests")
        if route.site_by_origin and not any(kind.is_site for kind in installed.kinds.values()):
            raise RegistryError(f"route {route.name} has site_by_origin, but no credential kind is a site")
        for schema in route.schemas:
            _check_schema(installed, route, schema)
        for body in PROBES:
            _check_submission(installed, route, _probe(installed, route, body))


def _probe(installed: Installed, route: Route, body: bytes) -> Submission:
    path = (*route.paths, *route.mount_only_paths)[0]
    before, opening, rest = path.partition("{")
    name, _, after = rest.partition("}")
    variables = {name: PROBE} if opening else {}
    sent = f"{before}{PROBE}{after}" if opening else path
    request = Request(route.method, sent, {}, {}, body, received_at=0, variables=variables)
    try:
        submission = route.parse(request)
    except Refusal:
        return Submission()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        said = text_of(error, repr)
        raise RegistryError(f"parse of route {route.name} fails on {body.decode()}: {said}") from error
    if not isinstance(submission, Submission):
        kind = type(submission).__name__
        raise RegistryError(f"parse of route {route.name} returns no Submission of {body.decode()}, but: {kind}")
    return submission


def _check_submission(installed: Installed, route: Route, submission: Submission) -> None:
    for credential in submission.credentials:
        if credential.kind not in installed.kinds:
            raise RegistryError(
                f"route {route.name} finds a credential of the kind {credential.kind!r}, which does not exist"
            )
    for item in submission.items:
        if item.fault is None:
            _check_schema(installed, route, item.schema)
        if item.site is not None and not any(kind.is_site for kind in installed.kinds.values()):
            raise RegistryError(f"an item of route {route.name} names a site, but no credential kind is one")


def _check_schema(installed: Installed, route: Route, schema: str) -> None:
    if schema not in installed.schemas:
        there = ", ".join(sorted(installed.schemas)) or "none"
        raise RegistryError(f"route {route.name} uses the schema {schema!r}, which does not exist; there is: {there}")
