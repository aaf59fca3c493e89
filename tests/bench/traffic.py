"""The requests that each scenario sends, prebuilt: only the ids change, and they are spliced in. No IO here."""

import json
import random

import attrs

DATABUDDY_KEY = "dbdy_" + "b" * 48
DATABUDDY_SITE = "5ced32e5-0219-4e75-a18a-ad9826f85698"
BROWSEE_KEY = "c0ffee" * 8
TRANTHOR_KEY = "trn_bench0123456789abcdef"
CREDENTIALS = (
    ("databuddy", "api_key", DATABUDDY_KEY),
    ("databuddy", "website", DATABUDDY_SITE),
    ("browsee", "api_key", BROWSEE_KEY),
    ("tranthor", "write_key", TRANTHOR_KEY),
)
BATCH = 100
SLOT = "@" * 12  # where the digits go that make a request's ids its own; so long that a body's length never changes
STARTED = 1767323045678


@attrs.frozen
class Scenario:
    """One kind of request: `pieces` is its text, cut where the request's own digits go; `items` events in each."""

    name: str
    title: str
    items: int
    connections: int
    pieces: tuple[str, ...]


def scenarios() -> tuple[Scenario, ...]:
    """Return all scenarios, the same bytes each time."""
    key = f"Authorization: Bearer {DATABUDDY_KEY}\r\n"
    flat = f"/batch?client_id={DATABUDDY_SITE}"
    batch = {"batch": [_tranthor_item(index) for index in range(BATCH)]}
    return (
        _scenario("databuddy-single", "Databuddy POST /track, one event", 64, "/track", key, _databuddy_event()),
        _scenario("browsee-single", "Browsee POST /api/v1/track", 64, "/api/v1/track", "", _browsee_event()),
        _scenario(
            "tranthor-batch",
            f"Tranthor POST /batch, {BATCH} events",
            32,
            "/api/public/apps/batch",
            f"Authorization: Basic {TRANTHOR_KEY}\r\n",
            batch,
            BATCH,
        ),
        _scenario(
            "databuddy-batch",
            f"Databuddy POST /batch, {BATCH} flat events",
            32,
            flat,
            "",
            [_databuddy_item(index) for index in range(BATCH)],
            BATCH,
        ),
    )


def _scenario(
    name: str, title: str, connections: int, target: str, headers: str, payload: object, items: int = 1
) -> Scenario:
    body = json.dumps(payload, separators=(",", ":"))
    head = (
        f"POST {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: */*\r\n{headers}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return Scenario(name, title, items, connections, tuple((head + body).split(SLOT)))


def _uuid(index: int) -> str:
    """Return a random UUID of an item's own whose last twelve digits are left to the request."""
    digits = f"{random.Random(index).getrandbits(80):020x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-a{digits[15:18]}-{SLOT}"


def _databuddy_event() -> dict[str, object]:
    return {
        "name": "checkout_completed",
        "eventId": _uuid(0),
        "namespace": "shop",
        "timestamp": STARTED,
        "anonymousId": "anon_9b2f6c1e-7f43-4c55-9d0a-0e6b1e1d7a11",
        "sessionId": "sess_1c9a7e52-3f0b-4f0e-8a57-5d1b9c64f002",
        "source": "backend",
        "properties": {
            "order_id": "ord_20260102_000123",
            "total": 149.95,
            "currency": "EUR",
            "items": 3,
            "coupon": "WINTER",
            "shipping": {"method": "express", "days": 2, "free": False},
            "tags": ["returning", "newsletter"],
            "page": "https://shop.example.com/checkout/complete",
        },
    }


def _browsee_event() -> dict[str, object]:
    return {
        "apiKey": BROWSEE_KEY,
        "event": "CLICKED_CHECKOUT",
        "userId": "user-83412",
        "anonymousId": "9b2f6c1e-7f43-4c55-9d0a-0e6b1e1d7a11",
        "timestamp": "2026-01-02T03:04:05.678Z",
        "properties": {"plan": "pro", "amount": 149.95, "currency": "EUR", "items": 3, "page": "/checkout/complete"},
    }


def _tranthor_item(index: int) -> dict[str, object]:
    return {
        "type": "track",
        "messageId": _uuid(index),
        "userId": f"user-{83412 + index}",
        "event": "Order Completed",
        "timestamp": "2026-01-02T03:04:05.678Z",
        "properties": {
            "order_id": f"ord_20260102_{index:06d}",
            "total": 149.95,
            "currency": "EUR",
            "items": 3,
            "coupon": "WINTER",
            "shipping": {"method": "express", "days": 2, "free": False},
            "tags": ["returning", "newsletter"],
            "page": "https://shop.example.com/checkout/complete",
        },
        "context": {"ip": "203.0.113.7", "userAgent": "bench/1.0", "locale": "en-US"},
    }


def _databuddy_item(index: int) -> dict[str, object]:
    return {
        "type": "track",
        "eventId": _uuid(index),
        "name": "screen_view",
        "anonymousId": "anon_9b2f6c1e-7f43-4c55-9d0a-0e6b1e1d7a11",
        "sessionId": "sess_1c9a7e52-3f0b-4f0e-8a57-5d1b9c64f002",
        "timestamp": STARTED + index,
        "path": f"https://shop.example.com/products/{index}",
        "title": "Products | Example shop",
        "referrer": "https://www.example.org/search",
        "screen_resolution": "1920x1080",
        "viewport_size": "1280x720",
        "timezone": "Europe/Berlin",
        "language": "en-US",
        "connection_type": "wifi",
        "utm_source": "newsletter",
        "utm_campaign": "winter",
        "load_time": 842,
        "scroll_depth": 40,
        "properties": {"section": "catalogue"},
    }
