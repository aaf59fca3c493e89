"""The table of endpoints."""

from gateway.dialect import Body, Description, OnInvalid, Parameter, Route

from goatcounter_dialect import errors, parse, render, translate
from goatcounter_dialect.credentials import COUNT, SITE, TOKEN
from goatcounter_dialect.decode import MOST_HITS

API = "/api/v0/"

_PARAMETERS = (
    Parameter("query", "p", {"type": "string"}, "Path of the page, or name of the event."),
    Parameter("query", "t", {"type": "string"}, "Title of the page."),
    Parameter("query", "r", {"type": "string"}, "Referrer."),
    Parameter("query", "e", {"type": "string"}, "Whether this is an event: true, 1, on; false, 0, off."),
    Parameter("query", "q", {"type": "string"}, "Query of the page's address, for campaigns."),
    Parameter("query", "s", {"type": "string"}, "Screen: width, or width,height,scale."),
    Parameter("query", "b", {"type": "string"}, "Flags a bot; a number from 150."),
    Parameter("query", "ns", {"type": "string"}, "Whether the visit is not to be counted."),
    Parameter("query", "rnd", {"type": "string"}, "Any text, against caches."),
)


def _pixel(name: str, method: str, summary: str) -> Route:
    return Route(
        name=name,
        method=method,
        paths=("/count",),
        parse=parse.pixel,
        translate=translate.pixel,
        render=render.pixel,
        refuse=errors.pixel,
        schemas=("pixel",),
        site_by_origin=True,
        description=Description(
            summary,
            body=None,
            parameters=_PARAMETERS,
            credentials={SITE.name: SITE.places},
            examples={"pageview": {"p": "/pricing", "t": "Pricing", "r": "https://news.example/", "s": "1920"}},
        ),
    )


ROUTES = (
    Route(
        name="count",
        paths=(f"{API}count",),
        parse=parse.count,
        translate=translate.hit,
        render=render.count,
        schemas=("hit",),
        scope=COUNT,
        on_invalid=OnInvalid.REJECT_ITEM,
        description=Description(
            "Count pageviews and events, up to 500 in a request.",
            body=Body(
                items="many",
                field="hits",
                least=1,
                most=MOST_HITS,
                beside={
                    "no_sessions": {
                        "type": ["boolean", "null"],
                        "description": "Take pageviews that have neither a session nor a user agent and an address.",
                    },
                    "filter": {"type": ["array", "null"], "items": {"enum": ["ip"]}},
                },
            ),
            examples={"pageviews": {"no_sessions": True, "hits": [{"path": "/one"}, {"path": "/two"}]}},
            credentials={TOKEN.name: TOKEN.places},
            answer={"type": "object", "required": ["status"], "properties": {"status": {"const": "ok"}}},
        ),
    ),
    _pixel("pixel", "GET", "Count a pageview with an image."),
    _pixel("beacon", "POST", "Count a pageview with navigator.sendBeacon."),
)
