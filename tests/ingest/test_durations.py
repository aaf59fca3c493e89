"""How long requests take, by dialect, route and status: from the head to the answer, by a clock that the test moves."""

import asyncio
import itertools
from collections.abc import Mapping

import pytest

from dialects.databuddy import dialect as databuddy
from gateway.app import build_handler
from gateway.config import Config
from gateway.dialect.outcome import Reason, Refusal
from gateway.http.handler import RequestHead
from gateway.keys.keyring import Grant, Keyring, digest
from gateway.records.metrics import Meter
from gateway.testing.memory import MemoryStorage

SALT, SITE = b"salt", "0e1c3a5e-0000-4000-8000-0000000000aa"
GRANT = Grant("s-1", "shop", "databuddy", "website", frozenset())
ASKING = {"origin": "https://shop.example", "access-control-request-method": "POST"}
TICK = 0.25  # seconds between two looks at the clock


def took(*requests: tuple[str, str, bytes | Refusal], headers: Mapping[str, str] = {}) -> dict[tuple[str, ...], float]:
    """Return the seconds of each route and status after some requests, each by method, target and body."""
    meter, ticks = Meter(), itertools.count(0.0, TICK)
    keyring = Keyring(SALT, {digest(SALT, "databuddy", "website", SITE): GRANT})
    handler = build_handler(
        Config(), (databuddy,), MemoryStorage(), keyring, meter=meter, monotonic=lambda: next(ticks)
    )
    for method, target, body in requests:
        path, _, query = target.partition("?")
        asyncio.run(handler.route(RequestHead(method, path, query, dict(headers), "192.0.2.1")).answer(body))
    return {
        (*sample.labels.values(),): sample.value
        for family in meter.collect()
        for sample in family.samples
        if sample.name == "gateway_request_duration_seconds_sum" and sample.value
    }


@pytest.mark.parametrize(
    ("method", "target", "body", "route", "status"),
    [
        ("POST", f"/track?website_id={SITE}", b'{"name":"seen"}', "track", "200"),
        ("POST", f"/databuddy/track/?website_id={SITE}", b'{"name":"seen"}', "track", "200"),
        ("POST", f"/track?website_id={SITE}", b"{", "track", "400"),
        ("POST", "/track?website_id=unknown", b'{"name":"seen"}', "track", "404"),
        ("POST", f"/track?website_id={SITE}", Refusal(Reason.TOO_LARGE), "track", "413"),
        ("GET", "/health", b"", "(static)", "200"),
        ("GET", "/track", b"", "(none)", "404"),
        ("POST", f"/{'x' * 40}", b"", "(none)", "404"),
    ],
)
def test_a_request_is_timed_under_its_route_and_status(
    method: str, target: str, body: bytes | Refusal, route: str, status: str
) -> None:
    assert took((method, target, body)) == {("databuddy", route, status): TICK}


def test_a_preflight_is_timed_apart() -> None:
    assert took(("OPTIONS", "/track", b""), headers=ASKING) == {("databuddy", "(preflight)", "204"): TICK}


def test_what_stores_nothing_by_its_nature_is_not_timed() -> None:
    assert took(("HEAD", f"/px.jpg?client_id={SITE}&name=seen", b""), ("GET", "/-/metrics", b"")) == {}


def test_each_request_is_added() -> None:
    send = ("POST", f"/track?website_id={SITE}", b'{"name":"seen"}')
    assert took(send, send, ("POST", "/track", b"{")) == {
        ("databuddy", "track", "200"): 2 * TICK,
        ("databuddy", "track", "400"): TICK,
    }
