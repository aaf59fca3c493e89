"""The table of endpoints, for the set of switches that are on."""

from functools import partial

from dialects.browsee.parse import as_sent, parse, stringify_ids
from dialects.browsee.render import success
from dialects.browsee.translate import identify, lenient_time, strict_time, track
from gateway.dialect import Route, Switch

SWITCHES = (
    Switch("stringify_ids", "take numeric userId and anonymousId as text; without it they are refused"),
    Switch("lenient_timestamps", "take the receive time where timestamp is not a time; without it that is refused"),
)


def routes(switches: frozenset[str]) -> tuple[Route, ...]:
    """Return the two endpoints that take events; the vendor has no others for it."""
    prepare = stringify_ids if "stringify_ids" in switches else as_sent
    read_time = lenient_time if "lenient_timestamps" in switches else strict_time
    return tuple(
        Route(
            name=name,
            paths=(f"/api/v1/{name}",),
            parse=partial(parse, name, prepare),
            translate=partial(translate, read_time),
            render=success,
        )
        for name, translate in (("track", track), ("identify", identify))
    )
