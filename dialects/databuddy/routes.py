"""The table of Databuddy's endpoints, for the switches that are on."""

from collections.abc import Callable
from functools import partial

import attrs

from dialects.databuddy import parse, pixel, render, translate, wire
from gateway.dialect import (
    Accepted,
    Item,
    OnInvalid,
    Received,
    Request,
    Response,
    Route,
    Submission,
    Switch,
    Translated,
)

TRACK_WINDOW = Switch(
    "track_window",
    "/track refuses a timestamp from before 2000 or more than an hour ahead with 400, as the vendor's newer servers do",
)
EVENTS_SCOPE = "track:events"
LLM_SCOPE = "write:llm"


def routes(switches: frozenset[str]) -> tuple[Route, ...]:
    """Return the endpoints that real SDKs call."""
    custom = translate.custom_in_window if TRACK_WINDOW.name in switches else translate.custom
    track = _route("track", "/track", parse.track, custom, partial(render.counted, "custom_event"), render.TRACK)
    batch = _route("batch", "/batch", parse.batch, translate.entry, render.batch, render.BATCH)
    ai_call = partial(translate.flat, wire.AI_CALL)
    llm = _route("llm", "/llm", parse.llm, ai_call, partial(render.counted, "ai_call"), render.LLM)
    identified = partial(render.typed, "identify")
    seen = _route("pixel", "/px.jpg", pixel.parse, translate.pixel, pixel.render)
    return (
        attrs.evolve(track, body_first=True),
        attrs.evolve(batch, body_first=True, on_invalid=OnInvalid.REJECT_ITEM),
        _route("single", "/", parse.single, translate.entry, render.single),
        _route("outgoing", "/outgoing", parse.outgoing, translate.outgoing, partial(render.typed, "outgoing_link")),
        _array("vitals", "web_vital", "web_vitals", wire.VITAL, 20),
        _array("errors", "error", "error", wire.ERROR, 50),
        _array("events", "custom", "custom_event", wire.NAMED, 100, "named_event"),
        _array("engagement", "engagement", "engagement", wire.ENGAGEMENT, 20),
        _route("identify", "/identify", parse.identify, translate.identify, identified, render.IDENTIFY),
        attrs.evolve(llm, scope=LLM_SCOPE),
        attrs.evolve(seen, method="GET", refuse=pixel.refuse),
    )


def _array(
    name: str, kind: str, answered: str, vocabulary: wire.Vocabulary, most: int, schema: str | None = None
) -> Route:
    """Return an endpoint that takes an array of one kind of item, whole or not at all."""
    return _route(
        name,
        f"/{name}",
        partial(parse.array, kind, schema or kind, most),
        partial(translate.flat, vocabulary),
        partial(render.counted, answered),
    )


def _route(
    name: str,
    path: str,
    parsed: Callable[[Request], Submission],
    translated: Callable[[Item, str, Received], Translated],
    rendered: Callable[[Accepted], Response],
    voice: render.Voice = render.SITE,
) -> Route:
    refuse = partial(render.refuse, voice)
    return Route(name, (path,), parsed, translated, rendered, scope=EVENTS_SCOPE, refuse=refuse)
