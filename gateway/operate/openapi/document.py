"""The OpenAPI 3.1 document of one dialect, made from what runs: its routes, its schemas and its answers. Pure."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from gateway import __version__
from gateway.dialect.contract import OnInvalid, Route, StaticRoute
from gateway.ingest.registry import Installed
from gateway.ingest.router import Router
from gateway.operate.openapi import answers, bodies, schemas, security

VERSION = "3.1.0"
METHODS = frozenset({"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"})
"""What an operation of OpenAPI can be."""

_ON_INVALID = {
    OnInvalid.REJECT_REQUEST: "One invalid item rejects the whole request, and nothing of it is stored.",
    OnInvalid.REJECT_ITEM: "The answer names the items that are invalid; the others are stored.",
    OnInvalid.QUARANTINE: "Invalid items are answered as if they were stored, and are kept in quarantine.",
    OnInvalid.QUARANTINE_UNTRANSLATABLE: "An item that does not meet its schema rejects the request; one that is no "
    "event for another reason is kept in quarantine.",
}


def document(installed: Installed, router: Router, url: str, hosts: Iterable[str] = ()) -> dict[str, Any]:
    """Return the document of a dialect, as a router serves it among others.

    `url` is where the gateway answers, without a slash at its end; `hosts` are the host names that belong to the
    dialect. A path that another dialect answers at the root has servers of its own: the mount and these hosts.
    """
    dialect = installed.dialect
    elsewhere = [_mount(installed, url), *_hosts(url, hosts)]
    paths: dict[str, Any] = {}
    used: set[str] = set()
    for route in installed.routes:
        body, names = bodies.request_body(installed, route)
        used |= names
        for number, path in enumerate((*route.paths, *route.mount_only_paths), 1):
            operation = _operation(installed, route, path, number, body)
            _add(paths, path, route, operation, _is_at_root(router, installed, route, path), elsewhere)
    for endpoint in dialect.static_routes:
        for number, path in enumerate(endpoint.paths, 1):
            name = _operation_id(dialect.name, path.strip("/") or "root", number)
            operation = {"operationId": name, "security": [], "responses": answers.static_responses(endpoint)}
            _add(paths, path, endpoint, operation, _is_at_root(router, installed, endpoint, path), elsewhere)
    root = {"url": url, "description": "What this dialect answers at the root, beside other dialects."}
    at_root = any("servers" not in item for item in paths.values())
    components: dict[str, Any] = {
        "parameters": bodies.PARAMETERS,
        "responses": answers.shared(paths),
        "schemas": schemas.components(installed, used),
        "securitySchemes": security.schemes(dialect, installed.routes),
    }
    return {
        "openapi": VERSION,
        "info": {"title": f"{dialect.title}, as the gateway answers it", "version": __version__, "description": ABOUT},
        "servers": [root, *elsewhere] if at_root else elsewhere,
        "paths": paths,
        "components": {name: value for name, value in components.items() if value},
    }


ABOUT = (
    "What a client of this vendor may send to the gateway, and what it is answered. An answer of 2xx means that "
    "everything it covers is stored. Every answer has the CORS headers that the request's Origin needs, and OPTIONS is "
    "answered on every path."
)


def _operation(
    installed: Installed, route: Route, path: str, number: int, body: dict[str, Any] | None
) -> dict[str, Any]:
    described = route.description
    said = [_ON_INVALID[route.on_invalid], *security.sentences(installed.dialect, route)]
    operation: dict[str, Any] = {"operationId": _operation_id(installed.dialect.name, route.name, number)}
    if described is not None:
        operation["summary"] = described.summary
    operation["description"] = " ".join(said)
    operation["parameters"] = bodies.parameters(route, path)
    if body is not None:
        operation["requestBody"] = body
    requirements = security.requirements(installed.dialect, route)
    if requirements is not None:
        operation["security"] = requirements
    return {**operation, "responses": answers.responses(installed, route)}


def _operation_id(dialect: str, name: str, number: int) -> str:
    """Return a name that is unique: a route has one for each of its paths."""
    plain = "".join(letter if letter.isalnum() else "_" for letter in f"{dialect}_{name}")
    return plain if number == 1 else f"{plain}_{number}"


def _add(
    paths: dict[str, Any],
    path: str,
    endpoint: Route | StaticRoute,
    operation: dict[str, Any],
    is_at_root: bool,
    elsewhere: list[dict[str, str]],
) -> None:
    if endpoint.method not in METHODS:
        return
    item = paths.setdefault(path, {})
    if not is_at_root:
        item["servers"] = elsewhere
    item[endpoint.method.lower()] = operation


def _is_at_root(router: Router, installed: Installed, endpoint: Route | StaticRoute, path: str) -> bool:
    """Return whether this dialect answers the path at the root, and no other one."""
    match = router.match("", endpoint.method, path.replace("{", "").replace("}", ""))
    is_its = match is not None and match.installed.dialect is installed.dialect and match.endpoint is not None
    return is_its and installed.at_root and path in endpoint.paths


def _mount(installed: Installed, url: str) -> dict[str, str]:
    return {
        "url": f"{url}/{installed.dialect.name}",
        "description": "All of this dialect, whatever others claim.",
    }


def _hosts(url: str, hosts: Iterable[str]) -> list[dict[str, str]]:
    scheme = urlsplit(url).scheme or "https"
    return [{"url": f"{scheme}://{host}", "description": "A host name of this dialect alone."} for host in hosts]
