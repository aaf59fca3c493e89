"""Browsee's HTTP API, whose callers write its address themselves: plain clients, and plain calls from a page."""

import pytest

from tests.dialects.browsee.sdk import BROWSEE_KEY
from tests.kit.serving import Served
from tests.sdk.clients import CLIENTS
from tests.sdk.programs import Open
from tests.sdk.site import Site
from tests.sdk.stored import CHROMIUM, MADE_FROM_KEY, Kept, event

SDK = "Browsee HTTP API"
EVERY = pytest.mark.parametrize("client", CLIENTS)
TRACK = {"apiKey": BROWSEE_KEY, "event": "CLICKED_CHECKOUT", "properties": {"price": 12.5, "a.b": "c"}, "userId": "u-1"}
SUCCESS = (200, {"status": "success"})


@EVERY
@pytest.mark.proves(SDK, "{client}", "POST /api/v1/track, /api/v1/identify")
def test_an_event_and_a_person_are_stored(gateway: Served, stored: Kept, client: str) -> None:
    post = CLIENTS[client]
    who = {"apiKey": BROWSEE_KEY, "userId": "u-1", "anonymousId": "a-1"}
    traits = {"name": "Ann", "email": "a@example.com", "$tags": ["vip", "beta"]}
    timed = {**TRACK, "timestamp": "2021-12-02T00:30:08.276Z"}
    assert post(f"{gateway.url}/api/v1/track", timed, {}) == SUCCESS
    assert post(f"{gateway.url}/api/v1/identify", {**who, "traits": traits}, {}) == SUCCESS
    assert stored.take(2) == [
        event(
            "browsee",
            name="CLICKED_CHECKOUT",
            timestamp="2021-12-02T00:30:08.276Z",
            user_id="u-1",
            properties={"price": 12.5, "a.b": "c"},
        ),
        event("browsee", "identify", user_id="u-1", anonymous_id="a-1", traits=traits),
    ]


@EVERY
@pytest.mark.proves(SDK, "{client}", "the same call twice, without and with an Idempotency-Key")
def test_two_equal_calls_are_two_events_but_under_one_key_one(gateway: Served, stored: Kept, client: str) -> None:
    post, url = CLIENTS[client], f"{gateway.url}/api/v1/track"
    key = {"Idempotency-Key": f"key-{client}"}
    assert [post(url, TRACK, headers) for headers in ({}, {}, key, key)] == [SUCCESS] * 4
    plain = event("browsee", name="CLICKED_CHECKOUT", user_id="u-1", properties={"price": 12.5, "a.b": "c"})
    assert stored.take(3) == [plain, plain, {**plain, "message_id": MADE_FROM_KEY}]


@EVERY
@pytest.mark.proves(SDK, "{client}", "errors: wrong key, nobody, an array")
def test_errors_are_a_400_failure(gateway: Served, stored: Kept, client: str) -> None:
    bad: list[object] = [{**TRACK, "apiKey": "nobodys"}, {**TRACK, "userId": None}, [TRACK], {**TRACK, "event": ""}]
    for body in bad:
        status, answer = CLIENTS[client](f"{gateway.url}/api/v1/track", body, {})
        assert (status, answer.pop("status"), list(answer)) == (400, "failure", ["message"])
    assert stored.take(0) == []


@pytest.mark.parametrize("credentials", ["omit", "include"])
@pytest.mark.proves(
    SDK, "fetch in Chromium", "POST /api/v1/track, credentials {credentials}; an error read by the page"
)
def test_a_page_may_call_the_api_itself(
    gateway: Served, stored: Kept, visit: Open, shop: Site, credentials: str
) -> None:
    page = shop.page("/calls.html", "<script src=/calls.js></script>")
    given = {"url": f"{gateway.url}/api/v1/track", "headers": {"Content-Type": "application/json"}}
    calls = [{**given, "body": body, "credentials": credentials} for body in (TRACK, {**TRACK, "apiKey": "nobodys"})]
    good, bad = visit(page, *(("send", each) for each in calls)).told
    assert (good["status"], good["body"]) == SUCCESS
    assert (bad["status"], bad["body"]["status"]) == (400, "failure")
    around = {"ip": "127.0.0.1", "user_agent": CHROMIUM}
    properties = {"price": 12.5, "a.b": "c"}
    assert stored.take(1) == [
        event("browsee", name="CLICKED_CHECKOUT", user_id="u-1", properties=properties, context=around)
    ]


@pytest.mark.parametrize("leave", ["", "close", "navigate"])
@pytest.mark.parametrize("type_", ["application/json", ""])
@pytest.mark.proves(SDK, "beacon in Chromium", "type '{type_}', page left by '{leave}'")
def test_a_beacon_is_stored(gateway: Served, stored: Kept, visit: Open, shop: Site, type_: str, leave: str) -> None:
    page = shop.page("/calls.html", "<script src=/calls.js></script>")
    given = {"url": f"{gateway.url}/api/v1/track", "body": TRACK, "type": type_}
    visit(page, ("atTheEnd" if leave else "beacon", given), leave=leave or None)
    around = {"ip": "127.0.0.1", "user_agent": CHROMIUM}
    properties = {"price": 12.5, "a.b": "c"}
    assert stored.take(1) == [
        event("browsee", name="CLICKED_CHECKOUT", user_id="u-1", properties=properties, context=around)
    ]
