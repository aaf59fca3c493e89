"""The table of Browsee's endpoints."""

from functools import partial

from dialects.browsee import description, parse, render, translate
from gateway.dialect import Route, Switch

STRINGIFY_IDS = Switch(
    "stringify_ids", "numbers in userId and anonymousId become strings; without this switch they are answered with 400"
)
LENIENT_TIMESTAMPS = Switch(
    "lenient_timestamps",
    "a timestamp that is not a time becomes the time of receipt; without this switch it is answered with 400",
)


def routes(switches: frozenset[str]) -> tuple[Route, ...]:
    """Return the endpoints for the switches that are on."""
    ids, lenient = STRINGIFY_IDS.name in switches, LENIENT_TIMESTAMPS.name in switches
    return (
        Route(
            "track",
            ("/api/v1/track",),
            partial(parse.track, stringify_ids=ids),
            partial(translate.track, lenient_timestamps=lenient),
            render.track,
            schemas=("track",),
            description=description.ROUTES["track"],
        ),
        Route(
            "identify",
            ("/api/v1/identify",),
            partial(parse.identify, stringify_ids=ids),
            partial(translate.identify, lenient_timestamps=lenient),
            render.identify,
            schemas=("identify",),
            description=description.ROUTES["identify"],
        ),
    )
