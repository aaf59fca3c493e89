"""The table of Tranthor's endpoints; a switch decides what `/batch` does with invalid items."""

from collections.abc import Callable
from functools import partial

from dialects.tranthor import description, parse, render, translate
from dialects.tranthor.wire import KINDS
from gateway.dialect import OnInvalid, Request, Route, Submission, Switch

PREFIX = "/api/public/apps"

STRICT_BATCHES = Switch(
    "strict_batches",
    "one invalid item rejects its whole batch with 400, as upstream does; otherwise invalid items are quarantined",
)


def routes(switches: frozenset[str]) -> tuple[Route, ...]:
    """Return the endpoints that store something, for the switches that are on. `/alias` is a static route."""
    in_batch = OnInvalid.REJECT_REQUEST if STRICT_BATCHES.name in switches else OnInvalid.QUARANTINE
    return (
        *[_route(kind, partial(parse.message, kind), OnInvalid.QUARANTINE_UNTRANSLATABLE, kind) for kind in KINDS],
        _route("batch", parse.batch, in_batch, *KINDS, parse.UNTYPED),
    )


def _route(name: str, parse: Callable[[Request], Submission], on_invalid: OnInvalid, *schemas: str) -> Route:
    return Route(
        name=name,
        paths=(f"{PREFIX}/{name}",),
        parse=parse,
        translate=translate.message,
        render=render.no_content,
        on_invalid=on_invalid,
        body_first=True,
        schemas=schemas,
        description=description.ROUTES[name],
    )
