"""The table of Appizer's endpoints: each at its path under `/v1`, and under the gateway's mount also without `/v1`."""

from collections.abc import Callable

import attrs

from dialects.appizer import coerce, description, errors, parse, render, translate
from gateway.dialect import Accepted, Item, Received, Refusal, Request, Response, Route, Submission, Switch, Translated

COERCE_IDS = Switch(
    "coerce_ids", "numbers in user_id, alias_id and other id fields become strings instead of INVALID_TYPE errors"
)
WRITE = "write"
"""The scope that every endpoint requires of an API key."""


def routes(switches: frozenset[str]) -> tuple[Route, ...]:
    """Return the endpoints for the switches that are on."""
    table = (
        _route("/events", "event", parse.events, translate.events, render.events),
        _route("/events/batch", "event", parse.batch, translate.events, render.batch, errors.refuse_batch),
        _route("/events/track", "track", parse.track, translate.track, render.track),
        _route("/users", "user", parse.users, translate.users, render.users),
        _route("/users/aliases", "alias", parse.aliases, translate.aliases, render.aliases),
        _route("/users/replace-id", "replace_id", parse.replace_id, translate.replace_id, render.replace_id),
    )
    if COERCE_IDS.name in switches:
        return tuple([attrs.evolve(route, parse=coerce.ids(route.parse)) for route in table])
    return table


def _route(
    path: str,
    schema: str,
    parse: Callable[[Request], Submission],
    translate: Callable[[Item, str, Received], Translated],
    render: Callable[[Accepted], Response],
    refuse: Callable[[Request, Refusal], Response] | None = None,
) -> Route:
    return Route(
        name=path[1:],
        paths=(f"/v1{path}",),
        mount_only_paths=(path,),
        parse=parse,
        translate=translate,
        render=render,
        scope=WRITE,
        refuse=refuse,
        schemas=(schema,),
        description=description.ROUTES[path[1:]],
    )
