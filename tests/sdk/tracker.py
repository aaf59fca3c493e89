"""Databuddy's browser tracker on the wire: for each endpoint what it sends, the answer, and the events to be stored."""

from typing import Any

import attrs

from tests.dialects.databuddy.sdk import DATABUDDY_SITE
from tests.sdk.stored import CHROMIUM, RECEIVED, event

NOON = 1767268800000
AT_NOON = "2026-01-01T12:00:00.000Z"
ADDRESS = "https://shop.example.com/pricing"
WHO = {"anonymousId": "anon_1", "sessionId": "sess_1"}
KNOWN = {"anonymous_id": "anon_1", "session_id": "sess_1"}
AROUND = {"ip": "127.0.0.1", "user_agent": CHROMIUM, "app": {"id": DATABUDDY_SITE}}
LIBRARY = {"library": {"name": "web", "version": "2.6.0"}}


@attrs.frozen
class Call:
    """One request of the tracker. `stored` are the events when it comes without the tracker's own headers."""

    path: str
    body: Any
    answer: dict[str, object]
    stored: list[dict[str, Any]]

    def stored_by(self, form: str) -> list[dict[str, Any]]:
        if form != "fetch":
            return self.stored
        return [{**each, "context": {**each["context"], **LIBRARY}} for each in self.stored]


def calls(mark: str) -> dict[str, Call]:
    """Return one call an endpoint; `mark` tells their ids from those of other tests."""
    return {
        "screen_view": _screen_view(mark),
        "custom": _custom(mark),
        "unload": _unload(mark),
        "outgoing_link": _outgoing_link(mark),
        "vitals": _vitals(mark),
        "errors": _errors(mark),
        "engagement": _engagement(mark),
        "events": _events(mark),
        "identify": _identify(),
    }


def _screen_view(mark: str) -> Call:
    entry = {
        "eventId": f"view_{mark}",
        "name": "screen_view",
        **WHO,
        "timestamp": NOON,
        "path": f"{ADDRESS}?utm_source=news",
        "title": "Pricing",
        "referrer": "https://search.example/",
        "viewport_size": "1280x720",
        "timezone": "Europe/Berlin",
        "language": "de-DE",
        "connection_type": "4g",
        "rtt": 50,
        "downlink": 10,
        "utm_source": "news",
        "utm_campaign": "spring",
        "load_time": 812,
        "tenant": "t-1",
    }
    left = {
        "eventId": f"exit_{mark}",
        "name": "page_exit",
        **WHO,
        "timestamp": NOON + 1500,
        "path": ADDRESS,
        "time_on_page": 12.5,
        "scroll_depth": 80,
        "interaction_count": 3,
    }
    results = [{"status": "success", "type": "track", "eventId": f"{each}_{mark}"} for each in ("view", "exit")]
    batched = {"track": 2, "outgoing_link": 0}
    answer = {"status": "success", "batch": True, "processed": 2, "batched": batched, "results": results}
    viewed = {
        **AROUND,
        "page": {
            "url": ADDRESS + "?utm_source=news",
            "path": "/pricing",
            "search": "?utm_source=news",
            "title": "Pricing",
            "referrer": "https://search.example/",
        },
        "viewport": {"width": 1280, "height": 720},
        "timezone": "Europe/Berlin",
        "locale": "de-DE",
        "network": {"type": "4g", "rtt": 50, "downlink": 10},
        "campaign": {"source": "news", "name": "spring"},
    }
    stored = [
        event(
            "databuddy",
            "page",
            name="Pricing",
            message_id=f"view_{mark}",
            timestamp=AT_NOON,
            **KNOWN,
            properties={"load_time": 812, "tenant": "t-1"},
            context=viewed,
        ),
        event(
            "databuddy",
            name="page_exit",
            message_id=f"exit_{mark}",
            timestamp="2026-01-01T12:00:01.500Z",
            **KNOWN,
            properties={"time_on_page": 12.5, "scroll_depth": 80, "interaction_count": 3},
            context={**AROUND, "page": {"url": ADDRESS, "path": "/pricing"}},
        ),
    ]
    return Call(f"/batch?client_id={DATABUDDY_SITE}", [entry, left], answer, stored)


def _custom(mark: str) -> Call:
    sent = {"name": "signup", "properties": {"plan": "pro"}, **WHO, "timestamp": NOON, "eventId": f"custom_{mark}"}
    body = [{**sent, "websiteId": DATABUDDY_SITE, "source": "browser", "path": ADDRESS}]
    return Call(
        f"/track?website_id={DATABUDDY_SITE}",
        body,
        {"status": "success", "type": "custom_event", "count": 1},
        [_signup(f"custom_{mark}")],
    )


def _unload(mark: str) -> Call:
    sent = {"name": "signup", "properties": {"plan": "pro"}, **WHO, "timestamp": NOON, "path": ADDRESS}
    ids = [f"unload{number}_{mark}" for number in range(2)]
    body = [{**sent, "eventId": each, "websiteId": DATABUDDY_SITE, "source": "browser"} for each in ids]
    return Call(
        f"/track?client_id={DATABUDDY_SITE}",
        body,
        {"status": "success", "type": "custom_event", "count": 2},
        [_signup(each) for each in ids],
    )


def _signup(message_id: str) -> dict[str, Any]:
    return event(
        "databuddy",
        name="signup",
        message_id=message_id,
        timestamp=AT_NOON,
        **KNOWN,
        properties={"plan": "pro"},
        context={**AROUND, "page": {"url": ADDRESS, "path": "/pricing"}, "databuddy": {"source": "browser"}},
    )


def _outgoing_link(mark: str) -> Call:
    link = {"href": "https://docs.example/", "text": "Docs"}
    body = {"type": "outgoing_link", "eventId": f"link_{mark}", **WHO, "timestamp": NOON, **link, "path": ADDRESS}
    stored = event(
        "databuddy",
        name="outgoing_link",
        message_id=f"link_{mark}",
        timestamp=AT_NOON,
        **KNOWN,
        properties=link,
        context={**AROUND, "page": {"url": ADDRESS, "path": "/pricing"}},
    )
    return Call(f"/?client_id={DATABUDDY_SITE}", body, {"status": "success", "type": "outgoing_link"}, [stored])


def _vitals(mark: str) -> Call:
    metrics = [("LCP", 1834.5), ("CLS", 0.02), ("INP", 48)]
    sent = {"timestamp": NOON, "path": "/pricing", **WHO}
    body = [{**sent, "metricName": name, "metricValue": value, "eventId": f"{name}_{mark}"} for name, value in metrics]
    stored = [
        _flat("web_vital", f"{name}_{mark}", {"metricName": name, "metricValue": value}) for name, value in metrics
    ]
    return Call(
        f"/vitals?client_id={DATABUDDY_SITE}", body, {"status": "success", "type": "web_vitals", "count": 3}, stored
    )


def _errors(mark: str) -> Call:
    facts = {
        "message": "x is not a function",
        "filename": "https://shop.example.com/app.js",
        "lineno": 10,
        "colno": 7,
        "stack": "TypeError: x is not a function\n    at app.js:10:7",
        "errorType": "TypeError",
    }
    body = [{"timestamp": NOON, "path": "/pricing", **WHO, **facts, "eventId": f"error_{mark}"}]
    return Call(
        f"/errors?client_id={DATABUDDY_SITE}",
        body,
        {"status": "success", "type": "error", "count": 1},
        [_flat("error", f"error_{mark}", facts)],
    )


def _engagement(mark: str) -> Call:
    facts = {
        "pageIndex": 1,
        "exitType": "unload",
        "timeOnPage": 12.5,
        "activeTime": 9,
        "timeToFirstInteraction": 830,
        "maxScrollDepth": 80,
        "clickCount": 3,
        "rageClickCount": 0,
    }
    body = [{"timestamp": NOON, "path": "/pricing", **WHO, **facts, "eventId": f"span_{mark}"}]
    return Call(
        f"/engagement?client_id={DATABUDDY_SITE}",
        body,
        {"status": "success", "type": "engagement", "count": 1},
        [_flat("engagement", f"span_{mark}", facts)],
    )


def _events(mark: str) -> Call:
    sent = {"timestamp": NOON, "path": "/pricing", "eventName": "opened", "properties": {"n": 1}}
    return Call(
        f"/events?client_id={DATABUDDY_SITE}",
        [{**sent, **WHO, "eventId": f"opened_{mark}"}],
        {"status": "success", "type": "custom_event", "count": 1},
        [_flat("opened", f"opened_{mark}", {"n": 1})],
    )


def large(mark: str) -> Call:
    """Return a last batch of the size at which the tracker cuts it: 100 events, just under 60 KiB."""
    text = "x" * 400
    ids = [f"large{number:02}_{mark}" for number in range(100)]
    sent = {"name": "signup", "timestamp": NOON, **WHO, "properties": {"text": text}}
    one = _flat("signup", "", {"text": text})
    return Call(
        f"/track?client_id={DATABUDDY_SITE}",
        [{**sent, "eventId": each, "websiteId": DATABUDDY_SITE} for each in ids],
        {"status": "success", "type": "custom_event", "count": 100},
        [{**one, "message_id": each, "context": AROUND} for each in ids],
    )


def _identify() -> Call:
    traits = {"email": "a@example.com", "seats": 3, "trial": None}
    body = {"profileId": "p-1", "anonymousId": "anon_1", "traits": traits}
    stored = event(
        "databuddy", "identify", timestamp=RECEIVED, anonymous_id="anon_1", user_id="p-1", traits=traits, context=AROUND
    )
    return Call(f"/identify?client_id={DATABUDDY_SITE}", body, {"status": "success", "type": "identify"}, [stored])


def _flat(name: str, message_id: str, properties: dict[str, Any]) -> dict[str, Any]:
    return event(
        "databuddy",
        name=name,
        message_id=message_id,
        timestamp=AT_NOON,
        **KNOWN,
        properties=properties,
        context={**AROUND, "page": {"path": "/pricing"}},
    )
