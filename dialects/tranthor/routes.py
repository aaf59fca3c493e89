"""The table of Tranthor's routes; a switch chooses what the batch does with bad items."""

from functools import partial

from dialects.tranthor import parse
from dialects.tranthor.render import render
from dialects.tranthor.translate import translate
from dialects.tranthor.wire import KINDS
from gateway.dialect import OnInvalid, Route, Switch

PREFIX = "/api/public/apps"

STRICT_BATCHES = Switch(
    "strict_batches", "one bad item refuses its whole batch with 400, as upstream does; off: bad items are quarantined"
)


def routes(switches: frozenset[str]) -> tuple[Route, ...]:
    """Return the six live endpoints; `alias` is a stub and so not among them."""
    on_invalid = OnInvalid.REJECT_REQUEST if STRICT_BATCHES.name in switches else OnInvalid.QUARANTINE
    singles = [
        Route(
            kind,
            (f"{PREFIX}/{kind}",),
            partial(parse.single, kind),
            translate,
            render,
            on_invalid=OnInvalid.QUARANTINE_UNTRANSLATABLE,
            body_first=True,
        )
        for kind in KINDS
    ]
    batch = Route("batch", (f"{PREFIX}/batch",), parse.batch, translate, render, on_invalid=on_invalid, body_first=True)
    return (*singles, batch)
