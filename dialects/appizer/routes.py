"""The table of endpoints: each at the vendor's path, and under the gateway's mount also without `/v1`."""

from collections.abc import Callable
from functools import partial

from dialects.appizer import render
from dialects.appizer.coerce import coercing
from dialects.appizer.parse import Parse, parse_batch, parse_one
from dialects.appizer.refusals import refuse_batch
from dialects.appizer.translate import (
    translate_alias,
    translate_event,
    translate_replace_id,
    translate_track,
    translate_user,
)
from gateway.dialect import Accepted, Item, Received, Refusal, Request, Response, Route, Translated

COERCE_IDS = "coerce_ids"
SCOPE = "write"


def routes(switches: frozenset[str]) -> tuple[Route, ...]:
    """Return the endpoints for the switches that are on."""
    parsers: dict[str, Parse] = {
        "event": partial(parse_one, "event", "event"),
        "batch": parse_batch,
        "track": partial(parse_one, "event", "track"),
        "user": partial(parse_one, "user", "user"),
        "alias": partial(parse_one, "alias", "alias"),
        "replace_id": partial(parse_one, "replace_id", "replace_id"),
    }
    if COERCE_IDS in switches:
        parsers = {name: coercing(parse) for name, parse in parsers.items()}
    return (
        _route("/events", parsers["event"], translate_event, render.render_event),
        _route("/events/batch", parsers["batch"], translate_event, render.render_batch, refuse_batch),
        _route("/events/track", parsers["track"], translate_track, render.render_track),
        _route("/users", parsers["user"], translate_user, render.render_user),
        _route("/users/aliases", parsers["alias"], translate_alias, render.render_alias),
        _route("/users/replace-id", parsers["replace_id"], translate_replace_id, render.render_replace_id),
    )


def _route(
    path: str,
    parse: Parse,
    translate: Callable[[Item, str, Received], Translated],
    answer: Callable[[Accepted], Response],
    refuse: Callable[[Request, Refusal], Response] | None = None,
) -> Route:
    return Route(
        name=path[1:],
        paths=(f"/v1{path}",),
        mount_only_paths=(path,),
        parse=parse,
        translate=translate,
        render=answer,
        scope=SCOPE,
        refuse=refuse,
    )
