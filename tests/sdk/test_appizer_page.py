"""Appizer's browser calls: no key, an app id, from a page of a domain that the app allows."""

import pytest

from tests.dialects.appizer.sdk import APPIZER_APP, APPIZER_KEY, APPIZER_OTHERS_APP
from tests.kit.serving import Served
from tests.sdk.programs import Open
from tests.sdk.site import Site
from tests.sdk.stored import CHROMIUM, Kept, event

SDK, VERSION = "Appizer from a page (its requests)", "Chromium"
JSON = {"Content-Type": "application/json"}
VISITOR = {"ip": "127.0.0.1", "user_agent": CHROMIUM}
AROUND = {**VISITOR, "app": {"id": APPIZER_APP}}
SEEN = {"event_name": "page_view", "user_id": "visitor-1", "properties": {"page": "/pricing"}}
RATES = {"x-ratelimit-limit": "1000", "x-ratelimit-remaining": "1000"}
PLACES = {
    "body app_id": ("", {"app_id": APPIZER_APP}, {}),
    "body appId": ("", {"appId": APPIZER_APP}, {}),
    "query app_id": (f"?app_id={APPIZER_APP}", {}, {}),
    "query appId": (f"?appId={APPIZER_APP}", {}, {}),
    "header X-App-Id": ("", {}, {"X-App-Id": APPIZER_APP}),
}


@pytest.fixture
def page(shop: Site) -> str:
    return shop.page("/appizer.html", "<script src=/calls.js></script>")


def seen() -> dict[str, object]:
    return event("appizer", name="page_view", user_id="visitor-1", properties={"page": "/pricing"}, context=AROUND)


@pytest.mark.parametrize("credentials", ["omit", "same-origin", "include"])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.proves(SDK, VERSION, "fetch with the app id in {place}, credentials {credentials}")
def test_a_page_of_an_allowed_domain_needs_no_key(
    gateway: Served, stored: Kept, visit: Open, page: str, place: str, credentials: str
) -> None:
    query, fields, headers = PLACES[place]
    given = {
        "url": f"{gateway.url}/v1/events{query}",
        "headers": {**JSON, **headers},
        "body": {**SEEN, **fields},
        "credentials": credentials,
    }
    answer = visit(page, ("send", given)).told[0]
    assert answer["body"].pop("event_id").startswith("evt_")
    assert int(answer["headers"].pop("x-ratelimit-reset")) > 1_700_000_000
    answer["headers"].pop("x-gateway-receipt", None)
    assert answer == {
        "status": 200,
        "body": {"success": True, "message": "Event tracked successfully"},
        "headers": RATES,
    }
    assert stored.take(1) == [seen()]


@pytest.mark.parametrize("leave", ["", "close", "navigate"])
@pytest.mark.parametrize("type_", ["application/json", "text/plain;charset=UTF-8", ""])
@pytest.mark.proves(SDK, VERSION, "beacon of type '{type_}', page left by '{leave}'")
def test_a_beacon_is_stored(gateway: Served, stored: Kept, visit: Open, page: str, type_: str, leave: str) -> None:
    given = {"url": f"{gateway.url}/v1/events", "body": {**SEEN, "app_id": APPIZER_APP}, "type": type_}
    visit(page, ("atTheEnd" if leave else "beacon", given), leave=leave or None)
    assert stored.take(1) == [seen()]


@pytest.mark.proves(SDK, VERSION, "fetch without CORS")
def test_a_fetch_that_does_not_ask_for_leave_is_stored(gateway: Served, stored: Kept, visit: Open, page: str) -> None:
    body = {**SEEN, "app_id": APPIZER_APP}
    told = visit(page, ("send", {"url": f"{gateway.url}/v1/events", "body": body, "mode": "no-cors"})).told
    assert told == [{"status": 0, "body": None, "headers": {}}]
    assert stored.take(1) == [seen()]


@pytest.mark.proves(SDK, VERSION, "POST /v1/users of a hooked form, /v1/events/batch")
def test_a_form_creates_a_person_and_a_batch_is_taken(gateway: Served, stored: Kept, visit: Open, page: str) -> None:
    person = {"user_id": "visitor-1", "email": "a@example.com", "app_id": APPIZER_APP}
    batch = {"app_id": APPIZER_APP, "events": [SEEN, SEEN]}
    told = visit(
        page,
        ("send", {"url": f"{gateway.url}/v1/users", "headers": JSON, "body": person}),
        ("send", {"url": f"{gateway.url}/v1/events/batch", "headers": JSON, "body": batch}),
    ).told
    assert told[0]["body"].pop("user_id").startswith("usr_")
    assert [answer["body"] for answer in told] == [
        {"success": True, "external_id": "visitor-1", "message": "User created/updated successfully"},
        {"success": True, "processed_count": 2, "message": "Batch events tracked successfully"},
    ]
    identified = event("appizer", "identify", user_id="visitor-1", traits={"email": "a@example.com"}, context=AROUND)
    assert stored.take(3) == [identified, seen(), seen()]


@pytest.mark.proves(SDK, VERSION, "fetch with a key")
def test_a_page_may_send_a_key_instead(gateway: Served, stored: Kept, visit: Open, page: str) -> None:
    headers = {**JSON, "Authorization": f"Bearer {APPIZER_KEY}"}
    told = visit(page, ("send", {"url": f"{gateway.url}/v1/events", "headers": headers, "body": SEEN})).told
    assert told[0]["status"] == 200
    assert stored.take(1) == [{**seen(), "context": VISITOR}]


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"app_id": APPIZER_OTHERS_APP}, 403, "DOMAIN_NOT_AUTHORIZED"),
        ({}, 401, "MISSING_AUTH"),
        ({"app_id": "nobodys"}, 401, "INVALID_API_KEY"),
        ({"app_id": APPIZER_APP, "user_id": None}, 400, "MISSING_FIELD"),
    ],
)
@pytest.mark.proves(SDK, VERSION, "an error ({status} {code}), read by the page")
def test_a_page_can_read_an_error_and_its_headers(
    gateway: Served, stored: Kept, visit: Open, page: str, fields: dict[str, object], status: int, code: str
) -> None:
    given = {"url": f"{gateway.url}/v1/events", "headers": JSON, "body": {**SEEN, **fields}}
    answer = visit(page, ("send", {**given, "credentials": "include"})).told[0]
    assert (answer["status"], answer["body"]["code"]) == (status, code)
    assert RATES.items() <= answer["headers"].items()
    assert stored.take(0) == []
