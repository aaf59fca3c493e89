"""The table of Tranthor's routes; a switch chooses what the batch does with bad items."""

from functools import partial

from dialects.tranthor import parse
from dialects.tranthor.render import render
from dialects.tranthor.translate import translate
from dialects.tranthor.wire import KINDS
from gateway.dialect import Route, Switch, Unfit

PREFIX = "/api/public/apps"

STRICT_BATCHES = Switch(
    "strict_batches", "one bad item refuses its whole batch with 400, as upstream does; off: bad items are quarantined"
)


def routes(switches: frozenset[str]) -> tuple[Route, ...]:
    """Return the six live endpoints; `alias` is a stub and so not among them."""
    unfit = Unfit.REFUSE_ALL if STRICT_BATCHES.name in switches else Unfit.QUARANTINE
    singles = [
        Route(
            kind,
            (f"{PREFIX}/{kind}",),
            partial(parse.single, kind),
            translate,
            render,
            unfit=Unfit.REFUSE_INVALID,
            body_first=True,
        )
        for kind in KINDS
    ]
    batch = Route("batch", (f"{PREFIX}/batch",), parse.batch, translate, render, unfit=unfit, body_first=True)
    return (*singles, batch)
