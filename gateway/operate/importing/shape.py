"""Requests with items of a file in them: how they lie in a body is the route's own description. Pure."""

import json
from collections.abc import Mapping, Sequence

import attrs

from gateway.dialect import Route
from gateway.dialect.description import Body, CredentialPlace
from gateway.dialect.message import Request
from gateway.ingest.registry import Installed

NO_BODY = ("GET", "HEAD")


@attrs.frozen
class Shape:
    """Makes requests of a route.

    `query` and `headers` show the site, where there is one, in the place where the dialect looks for it. `most` is how
    many items a request may have.
    """

    route: Route
    body: Body
    query: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def most(self) -> int:
        """How many items one request may have."""
        if self.route.method in NO_BODY or self.body.items == "one":
            return 1
        return self.body.most or 1_000_000

    def request(self, items: Sequence[bytes], received_at: int, more: Mapping[str, str] | None = None) -> Request:
        """Return a request with so many items, each the text of one JSON value; `more` are further headers."""
        query, body = dict(self.query), b""
        if self.route.method in NO_BODY:
            query = {**_parameters(items[0]), **query}
        elif self.body.items == "one":
            body = items[0]
        else:
            body = b"[" + b",".join(items) + b"]"
            if self.body.field is not None:
                body = b"{" + json.dumps(self.body.field).encode() + b":" + body + b"}"
        path = (*self.route.paths, *self.route.mount_only_paths)[0]
        return Request(self.route.method, path, query, {**self.headers, **(more or {})}, body, received_at)


def shape_of(installed: Installed, route: Route, site: str | None) -> Shape:
    """Return how items become requests of a route. A dialect without a description has one item in a body."""
    body = Body() if route.description is None else route.description.body or Body()
    place = None if site is None else _place_of_site(installed, route)
    if site is None or place is None:
        return Shape(route, body, {}, {})
    if place.where == "query":
        return Shape(route, body, {place.name: site}, {})
    value = site if place.scheme is None else f"{place.scheme} {site}"
    return Shape(route, body, {}, {place.name.lower(): value})


def normal_site(installed: Installed, site: str | None) -> str | None:
    """Return the normal form of a site, for a dialect that has sites; another public id is no part of an item's id."""
    kind = next((kind for kind in installed.dialect.kinds if kind.is_site), None)
    return None if site is None or kind is None else kind.normalize(site)


def _place_of_site(installed: Installed, route: Route) -> CredentialPlace | None:
    """Return where a request shows a site or, where the dialect has no sites, another public id; not in its body."""
    kinds = sorted([kind for kind in installed.dialect.kinds if kind.public], key=lambda kind: not kind.is_site)
    own = None if route.description is None else route.description.credentials
    for kind in kinds:
        places = kind.places if own is None else own.get(kind.name, ())
        found = next((place for place in places if place.where != "body"), None)
        if found is not None:
            return found
    return None


def _parameters(item: bytes) -> dict[str, str]:
    """Return the fields of an item as a query has them; what is no object has none."""
    try:
        fields = json.loads(item)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(fields, dict):
        return {}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
