"""The table of Databuddy's endpoints: those that its SDKs call."""

from functools import partial

import attrs

from dialects.databuddy import description, errors, parse, render, translate
from dialects.databuddy.entries import SCHEMAS
from gateway.dialect import OnInvalid, Route, Switch

TRACK_WINDOW = Switch(
    "track_window",
    "/track answers 400 to a timestamp from before 2000 or more than an hour ahead, as the vendor's newer servers do",
)
EVENTS_SCOPE = "track:events"
LLM_SCOPE = "write:llm"


def routes(switches: frozenset[str]) -> tuple[Route, ...]:
    """Return the endpoints for the switches that are on."""
    translate_track = translate.track_in_window if TRACK_WINDOW.name in switches else translate.track
    table = (
        _route(
            "track",
            ("/track",),
            parse.track,
            translate_track,
            render.track,
            body_first=True,
            refuse=errors.refuse_track,
            schemas=("custom",),
        ),
        _route(
            "batch",
            ("/batch",),
            parse.batch,
            translate.batch,
            render.batch,
            on_invalid=OnInvalid.REJECT_ITEM,
            body_first=True,
            refuse=errors.refuse_batch,
            schemas=SCHEMAS,
        ),
        _route("single", ("/",), parse.single, translate.single, render.single, schemas=SCHEMAS),
        # The tracker of February 2026 sends no site here (recorded).
        _route(
            "outgoing",
            ("/outgoing",),
            parse.outgoing,
            translate.outgoing,
            render.outgoing,
            site_by_origin=True,
            schemas=("outgoing_link",),
        ),
        _route("vitals", ("/vitals",), parse.vitals, translate.vitals, render.vitals, schemas=("web_vital",)),
        _route("errors", ("/errors",), parse.errors, translate.errors, render.errors, schemas=("error",)),
        _route("events", ("/events",), parse.events, translate.events, render.events, schemas=("named_event",)),
        _route(
            "engagement",
            ("/engagement",),
            parse.engagement,
            translate.engagement,
            render.engagement,
            schemas=("engagement",),
        ),
        _route(
            "identify",
            ("/identify",),
            parse.identify,
            translate.identify,
            render.identify,
            refuse=errors.refuse_identify,
            schemas=("identify",),
        ),
        _route(
            "llm",
            ("/llm",),
            parse.llm,
            translate.llm,
            render.llm,
            scope=LLM_SCOPE,
            refuse=errors.refuse_llm,
            schemas=("llm",),
        ),
        _route(
            "pixel",
            ("/px.jpg",),
            parse.pixel,
            translate.pixel,
            render.pixel,
            method="GET",
            refuse=errors.refuse_pixel,
            schemas=("pixel", "web_vital", "error"),
        ),
    )
    return tuple([attrs.evolve(route, description=description.ROUTES[route.name]) for route in table])


_route = partial(Route, scope=EVENTS_SCOPE)
