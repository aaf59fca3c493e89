"""A request to a submission: who sends, and its hits.

Pure, and runs before the sender is known: it has to survive any bytes. Each function is
named after its route.
"""

from gateway.dialect import Fault, Item, Request, Submission, clean_header, json_or_fault, visitor

from goatcounter_dialect import credentials
from goatcounter_dialect.decode import body_fault


def count(request: Request) -> Submission:
    """Return an item for each hit of the body. No hit has an id of the client's."""
    shown = credentials.api(request)
    body, fault = json_or_fault(request.body)
    if fault is None:
        fault = body_fault(body)
    if fault is not None:
        return Submission(shown, fault=fault)
    assert isinstance(body, dict), "another body has a fault"
    items = tuple(Item("hit", "hit", {} if hit is None else hit) for hit in body["hits"])
    own = {name: body[name] for name in ("no_sessions", "filter") if body.get(name) is not None}
    return Submission(shown, items, context={**visitor(request), "goatcounter": own})


def pixel(request: Request) -> Submission:
    """Return the one hit of the query, and none for a page that a browser only prefetches."""
    shown = credentials.page(request)
    if _is_prefetch(request):
        return Submission(shown)
    query = {name: value for name, value in request.query.items() if name != credentials.CODE}
    bot = query.get("b", "")
    fault = Fault("bot", "/b") if _is_of_the_server(bot) else None
    return Submission(shown, (Item("hit", "pixel", query, fault=fault),), context=_browser(request))


def _is_of_the_server(bot: str) -> bool:
    """Return whether a number of a bot is one that only GoatCounter itself may give."""
    return bot.isascii() and bot.isdigit() and len(bot) < 4 and 0 < int(bot) < 150


def _is_prefetch(request: Request) -> bool:
    purposes = {request.headers.get("purpose"), request.headers.get("x-purpose")}
    return request.headers.get("x-moz") == "prefetch" or not purposes.isdisjoint({"prefetch", "preview"})


def _browser(request: Request) -> dict[str, object]:
    """Return address, user agent and language of the visitor's browser."""
    language = request.headers.get("accept-language", "").partition(",")[0].partition(";")[0].strip()
    locale = {} if language in ("", "*") else {"locale": clean_header(language)}
    return {**visitor(request), **locale}
