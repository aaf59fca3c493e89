"""Where a route's credentials go, as OpenAPI says it: security schemes, and which of them open a route. Pure."""

from collections.abc import Mapping
from typing import Any

from gateway.dialect.contract import CredentialKind, Dialect, Route
from gateway.dialect.description import CredentialPlace

Places = Mapping[str, tuple[CredentialPlace, ...]]
"""Places by kind."""


def places_of(dialect: Dialect, route: Route) -> Places:
    """Return where a route reads which kinds of credentials; nothing if the dialect does not say it."""
    if route.description is not None and route.description.credentials is not None:
        return route.description.credentials
    return {kind.name: kind.places for kind in dialect.kinds if kind.places}


def in_body(places: Places) -> tuple[dict[str, str], bool]:
    """Return the fields of a body that may have a credential, each with its kind, and whether these are all places."""
    all_of_them = [(kind, place) for kind, own in places.items() for place in own]
    fields = {place.name: kind for kind, place in all_of_them if place.where == "body"}
    return fields, bool(fields) and all(place.where == "body" for _, place in all_of_them)


def schemes(dialect: Dialect, routes: tuple[Route, ...]) -> dict[str, Any]:
    """Return the security schemes of all places outside bodies, by `<kind>.<name>`."""
    kinds = {kind.name: kind for kind in dialect.kinds}
    return {
        _name(kind, place): _scheme(kinds[kind], place)
        for route in routes
        for kind, own in places_of(dialect, route).items()
        for place in own
        if place.where != "body"
    }


def requirements(dialect: Dialect, route: Route) -> list[dict[str, list[str]]] | None:
    """Return what opens a route, one of the list each; None if the dialect does not say it.

    An empty one stands for a credential in the body, or for none at all.
    """
    places = places_of(dialect, route)
    if not places:
        return None
    public = {kind.name for kind in dialect.kinds if kind.public}
    scopes = [route.scope] if route.scope else []
    found: list[dict[str, list[str]]] = [
        {_name(kind, place): [] if kind in public else scopes}
        for kind, own in places.items()
        for place in own
        if place.where != "body"
    ]
    if in_body(places)[0] or route.site_by_origin:
        found.append({})
    return found


def sentences(dialect: Dialect, route: Route) -> list[str]:
    """Return what OpenAPI has no other place for."""
    places = places_of(dialect, route)
    if not places:
        kinds = " or ".join(kind.name for kind in dialect.kinds)
        return [f"Needs a credential: {kinds}. The dialect does not describe where it goes."]
    said = []
    fields, is_only_place = in_body(places)
    if fields and not is_only_place:
        named = " or ".join(f"`{name}` ({kind})" for name, kind in fields.items())
        said.append(f"A credential may also be in the body: {named}.")
    if route.site_by_origin:
        said.append("Without a credential the request belongs to the one site that allows its `Origin`.")
    if route.scope:
        secret = [kind.name for kind in dialect.kinds if not kind.public and kind.name in places]
        said += [f"A credential of the kind {kind} needs the scope `{route.scope}`." for kind in secret]
    return said


def _name(kind: str, place: CredentialPlace) -> str:
    return f"{kind}.{place.name}"


def _scheme(kind: CredentialKind, place: CredentialPlace) -> dict[str, Any]:
    is_bearer = place.name.lower() == "authorization" and (place.scheme or "").lower() == "bearer"
    what = f"A public id of the kind {kind.name}." if kind.public else f"A secret of the kind {kind.name}."
    if is_bearer:
        return {"type": "http", "scheme": "bearer", "description": what}
    if place.scheme is not None:
        what = f"{what} Write `{place.scheme}` and a space in front of it."
    return {"type": "apiKey", "in": place.where, "name": place.name, "description": what}
