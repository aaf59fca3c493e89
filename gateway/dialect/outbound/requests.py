"""Items to requests: as many in each as the vendor takes. Pure; nothing is sent here."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from gateway.dialect.description import CredentialPlace
from gateway.dialect.event import encode
from gateway.dialect.outbound.items import Beside, OutboundItem, OutboundRequest, OutboundRoute

if TYPE_CHECKING:
    from gateway.dialect.contract import Dialect

_JSON = {"Content-Type": "application/json"}


def requests_of(
    dialect: "Dialect", items: Sequence[OutboundItem], credentials: Mapping[str, str]
) -> tuple[OutboundRequest, ...]:
    """Return the requests that carry items, in their order: only neighbours share one.

    So what is sent in the order of the requests is in the order of the log. `credentials` are values by their kind.
    Each goes to its place, over what an item says itself: an event of this dialect names the site that it was sent for.
    Raises KeyError on a kind that the dialect does not have, or a route that is not outbound.
    """
    routes = {route.route: route for route in dialect.outbound}
    places = {kind.name: kind.places[0] for kind in dialect.kinds if kind.places}
    made = []
    for indexes, bodies in _groups(items, routes):
        first = items[indexes[0]]
        route = routes[first.route]
        beside = _shown(first.beside, {**places, **route.credentials}, credentials)
        made.append(_request(route, beside, first, indexes, bodies))
    return tuple(made)


def _groups(
    items: Sequence[OutboundItem], routes: Mapping[str, OutboundRoute]
) -> Iterator[tuple[tuple[int, ...], list[bytes]]]:
    """Yield the indexes of the items of each request, and each item's JSON."""
    indexes: list[int] = []
    bodies: list[bytes] = []
    size = 0
    for index, item in enumerate(items):
        body = encode(item.payload)
        if indexes:
            first, route = items[indexes[0]], routes[item.route]
            fits = len(indexes) < route.most_items and size + len(body) + 1 <= route.most_bytes
            if not fits or item.route != first.route or item.beside != first.beside:
                yield tuple(indexes), bodies
                indexes, bodies = [], []
        if not indexes:
            size = len(encode(item.beside.fields)) + 64  # around the array: its name, brackets, a credential
        indexes.append(index)
        bodies.append(body)
        size += len(body) + 1
    if indexes:
        yield tuple(indexes), bodies


def _shown(beside: Beside, places: Mapping[str, CredentialPlace], credentials: Mapping[str, str]) -> Beside:
    query, headers, fields = dict(beside.query), dict(beside.headers), dict(beside.fields)
    for kind, value in credentials.items():
        place = places[kind]
        if place.where == "header":
            headers[place.name] = f"{place.scheme} {value}" if place.scheme else value
        elif place.where == "query":
            query[place.name] = value
        else:
            fields[place.name] = value
    return Beside(query, headers, beside.client_ip, fields)


def _request(
    route: OutboundRoute, beside: Beside, first: OutboundItem, indexes: tuple[int, ...], bodies: list[bytes]
) -> OutboundRequest:
    if route.is_one:
        body = encode({**first.payload, **beside.fields}) if beside.fields else bodies[0]
    else:
        body = b"[%b]" % b",".join(bodies)
    if route.field is not None:
        around = encode({**beside.fields, route.field: []})
        body = b"%b%b}" % (around.removesuffix(b"[]}"), body)
    headers = {**_JSON, **beside.headers}
    return OutboundRequest(route.method, route.path, beside.query, headers, body, beside.client_ip, indexes)
