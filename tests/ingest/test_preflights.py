"""What a page asks for before it sends is granted, and preflights that no request follows are counted."""

import asyncio
from collections.abc import Mapping

import pytest

from dialects.appizer import dialect as appizer
from dialects.databuddy import dialect as databuddy
from gateway.app import build_handler
from gateway.config import Config
from gateway.dialect.message import Response
from gateway.http.handler import RequestHead
from gateway.ingest.cors import ALLOWED, MAX_ASKED, allowed_headers, asked_headers
from gateway.ingest.handler import IngestHandler
from gateway.ingest.preflights import GRACE, SLOTS, TABLE, Preflights
from gateway.keys.keyring import Keyring
from gateway.testing.memory import MemoryStorage

NOW = 1767323045678
SHOP = "https://shop.example"
USUAL = allowed_headers((*appizer.headers, *databuddy.headers))
TRACING = "baggage, sentry-trace, traceparent, content-encoding"
COUNTED = "gateway_unfollowed_preflights_total"


class Clock:
    """A clock that stands until it is set."""

    now = NOW

    def __call__(self) -> int:
        return self.now


def gateway(clock: Clock, preflights: Preflights | None = None) -> IngestHandler:
    return build_handler(
        Config(), (appizer, databuddy), MemoryStorage(), Keyring(b"", {}), clock=clock, preflights=preflights
    )


def sent(
    handler: IngestHandler, method: str, path: str, headers: Mapping[str, str], address: str = "192.0.2.1"
) -> Response:
    head = RequestHead(method, path, "", {"host": "gateway.example", **headers}, address)
    return asyncio.run(handler.route(head).answer(b""))


def asks(
    handler: IngestHandler, path: str = "/track", origin: str = SHOP, names: str = TRACING, address: str = "192.0.2.1"
) -> Response:
    asked = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": names}
    return sent(handler, "OPTIONS", path, asked, address)


def counted(handler: IngestHandler) -> dict[str, float]:
    text = sent(handler, "GET", "/-/metrics", {}).body or b""
    lines = [line.split() for line in text.decode().splitlines() if line.startswith(COUNTED)]
    return {name.removeprefix(COUNTED): float(value) for name, value in lines if float(value)}


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        (TRACING, f"{USUAL}, {TRACING}"),
        ("content-type,x-api-key", USUAL),
        ("Content-Type, X-Datadog-Trace-Id,,x-b3", f"{USUAL}, X-Datadog-Trace-Id, x-b3"),
        ("x-a, x-a,x-a", f"{USUAL}, x-a"),
        ("", USUAL),
        ("x a", USUAL),
        ("x-a, \u00e4", USUAL),
        ("x-a\r\nset-cookie: a=b", USUAL),
        ("x-a;b, x-c", USUAL),
        (f"x-{'a' * MAX_ASKED}", USUAL),
        (",".join(["x"] * MAX_ASKED), USUAL),
    ],
)
def test_the_names_that_a_page_asks_for_are_granted(asked: str, granted: str) -> None:
    answer = asks(gateway(Clock()), names=asked)
    assert (answer.status, answer.headers) == (
        204,
        {
            "Allow": "POST, OPTIONS",
            "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
            "Access-Control-Allow-Headers": granted,
            "Access-Control-Max-Age": "86400",
        },
    )


def test_a_page_that_asks_for_no_names_is_told_the_usual_ones() -> None:
    asked = {"origin": SHOP, "access-control-request-method": "POST"}
    answer = sent(gateway(Clock()), "OPTIONS", "/track", asked)
    assert answer.headers["Access-Control-Allow-Headers"] == USUAL
    assert USUAL.split(", ")[: len(ALLOWED)] == list(ALLOWED)


def test_the_names_of_a_list_are_tokens_each_named_once() -> None:
    assert asked_headers("baggage, ,Sentry-Trace,\tbaggage") == ("baggage", "Sentry-Trace")
    assert [asked_headers(value) for value in ("", ",", "a b", "a:", "(a)", 'a"', "\udcff")] == [()] * 7


def test_the_methods_are_the_paths() -> None:
    handler = gateway(Clock())
    allowed = {path: asks(handler, path).headers["Allow"] for path in ("/track", "/px.jpg", "/health", "/nowhere")}
    assert allowed == {
        "/track": "POST, OPTIONS",
        "/px.jpg": "GET, HEAD, OPTIONS",
        "/health": "GET, HEAD, OPTIONS",
        "/nowhere": "GET, POST, OPTIONS",
    }


def test_an_answer_says_what_it_depends_on() -> None:
    handler = gateway(Clock())
    vary = {}
    for method in ("OPTIONS", "POST"):
        for origin in ({"origin": SHOP}, {}):
            lines = handler.cors(RequestHead(method, "/track", "", origin)).splitlines()
            vary[method, bool(origin)] = [line for line in lines if line.startswith("Vary")]
    preflight = "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
    assert vary == {
        ("OPTIONS", True): [preflight],
        ("OPTIONS", False): [preflight],
        ("POST", True): ["Vary: Origin"],
        ("POST", False): ["Vary: Origin"],
    }


def test_preflights_that_no_request_follows_are_counted_by_dialect() -> None:
    clock = Clock()
    handler = gateway(clock)
    asks(handler)
    asks(handler)
    asks(handler, "/batch")
    asks(handler, "/v1/events")
    sent(handler, "POST", "/track", {"origin": SHOP})
    sent(handler, "POST", "/batch", {"origin": SHOP})
    assert counted(handler) == {}
    clock.now += GRACE + 1
    expected = {'{dialect="appizer"}': 1.0, '{dialect="databuddy"}': 1.0}
    assert [counted(handler), counted(handler)] == [expected, expected]


@pytest.mark.parametrize(
    ("origin", "path", "address", "follows"),
    [
        (SHOP, "/track", "192.0.2.1", True),
        (SHOP, "/batch", "192.0.2.1", False),
        ("https://blog.example", "/track", "192.0.2.1", False),
        (SHOP, "/track", "192.0.2.2", False),
    ],
)
def test_what_follows_is_of_the_same_client_page_and_path(origin: str, path: str, address: str, follows: bool) -> None:
    clock = Clock()
    handler = gateway(clock)
    asks(handler)
    sent(handler, "POST", path, {"origin": origin}, address)
    clock.now += GRACE + 1
    assert counted(handler) == ({} if follows else {'{dialect="databuddy"}': 1.0})


def test_what_is_no_preflight_waits_for_no_request() -> None:
    clock = Clock()
    handler = gateway(clock)
    sent(handler, "OPTIONS", "/track", {"origin": SHOP})
    sent(handler, "OPTIONS", "/track", {"access-control-request-method": "POST"})
    asks(handler, "/-/metrics")
    clock.now += GRACE + 1
    assert counted(handler) == {}


def test_a_preflight_that_gives_way_is_counted_once_its_time_is_over() -> None:
    clock = Clock()
    handler = gateway(clock)
    asks(handler)
    clock.now += GRACE + 1
    asks(handler)
    assert counted(handler) == {'{dialect="databuddy"}': 1.0}


def test_strangers_preflights_take_no_more_memory() -> None:
    table = memoryview(bytearray(TABLE))
    handler = gateway(Clock(), Preflights(table))
    for number in range(3 * SLOTS):
        asks(handler, f"/{number}", f"https://{number}.example", address=f"2001:db8::{number:x}")
    assert (len(table), counted(handler)) == (TABLE, {})


def test_the_table_is_shared_by_processes() -> None:
    clock, table = Clock(), memoryview(bytearray(TABLE))
    first, second = gateway(clock, Preflights(table)), gateway(clock, Preflights(table))
    asks(first)
    asks(first, "/batch")
    sent(second, "POST", "/track", {"origin": SHOP})
    clock.now += GRACE + 1
    assert [counted(second), counted(first)] == [{'{dialect="databuddy"}': 1.0}, {}]


def test_a_clock_that_is_set_back_counts_nothing_early() -> None:
    clock = Clock()
    handler = gateway(clock)
    asks(handler)
    clock.now -= 3_600_000
    assert counted(handler) == {}
    sent(handler, "POST", "/track", {"origin": SHOP})
    clock.now += 2 * 3_600_000
    assert counted(handler) == {}
