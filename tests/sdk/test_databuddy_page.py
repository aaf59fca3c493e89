"""What Databuddy's browser tracker sends from a page on another origin; see `pages/databuddy.js`."""

import json

import pytest

from tests.dialects.databuddy.sdk import DATABUDDY_OTHERS_SITE, DATABUDDY_SITE
from tests.kit.serving import Served
from tests.sdk.programs import Open
from tests.sdk.site import Site
from tests.sdk.stored import Kept, event
from tests.sdk.tracker import ADDRESS, AROUND, AT_NOON, KNOWN, NOON, WHO, calls, large

SDK, VERSION = "Databuddy browser tracker (its requests)", "2025 to 2026"
FORMS = {"fetch": "fetch", "beacon": "JSON beacon", "textBeacon": "text/plain beacon"}
CALLS = pytest.mark.parametrize("call", sorted(calls("")))


@pytest.fixture
def page(shop: Site) -> str:
    return shop.page("/databuddy.html", "<script src=/databuddy.js></script>")


@CALLS
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.proves(SDK, VERSION, "{call} by {form}")
def test_a_call_of_the_tracker_is_stored(
    gateway: Served, stored: Kept, visit: Open, page: str, call: str, form: str
) -> None:
    one = calls(form)[call]
    seen = visit(page, (form, {"url": gateway.url + one.path, "site": DATABUDDY_SITE, "body": one.body}))
    assert seen.told == [{"status": 200, "body": one.answer} if form == "fetch" else True]
    assert seen.said == []
    assert stored.take(len(one.stored)) == one.stored_by(form)


@pytest.mark.parametrize("leave", ["close", "navigate"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("call", ["engagement", "screen_view", "unload"])
@pytest.mark.proves(SDK, VERSION, "{call} by {form} as the tab is left ({leave})")
def test_what_leaves_with_the_page_is_stored(
    gateway: Served, stored: Kept, visit: Open, page: str, call: str, form: str, leave: str
) -> None:
    one = calls(f"{leave}-{form}")[call]
    last = {"form": form, "url": gateway.url + one.path, "site": DATABUDDY_SITE, "body": one.body}
    visit(page, ("atTheEnd", last), leave=leave)
    assert stored.take(len(one.stored)) == one.stored_by(form)


@pytest.mark.parametrize("form", ["beacon", "textBeacon"])
@pytest.mark.proves(SDK, VERSION, "100 events of 60 KB in all by {form} as the tab is closed")
def test_a_last_batch_as_large_as_beacons_may_be_is_stored_whole(
    gateway: Served, stored: Kept, visit: Open, page: str, form: str
) -> None:
    one = large(form)
    assert 58_000 < len(json.dumps(one.body, separators=(",", ":"))) < 61_440
    last = {"form": form, "url": gateway.url + one.path, "site": DATABUDDY_SITE, "body": one.body}
    visit(page, ("atTheEnd", last), leave="close")
    assert stored.take(100) == one.stored


@pytest.mark.proves(SDK, VERSION, "fetch with credentials")
def test_a_credentialed_fetch_is_allowed_too(gateway: Served, stored: Kept, visit: Open, page: str) -> None:
    one = calls("credentialed")["custom"]
    given = {"url": gateway.url + one.path, "site": DATABUDDY_SITE, "body": one.body, "credentials": "include"}
    assert visit(page, ("fetch", given)).told == [{"status": 200, "body": one.answer}]
    assert stored.take(1) == one.stored_by("fetch")


@pytest.mark.proves(SDK, VERSION, "custom event by pixel")
def test_a_pixel_loads_and_is_an_event(gateway: Served, stored: Kept, visit: Open, page: str) -> None:
    fields = {
        "type": "track",
        "name": "signup",
        "properties": {"plan": "pro", "seats": 3},
        **WHO,
        "timestamp": NOON,
        "websiteId": DATABUDDY_SITE,
        "source": "browser",
        "eventId": "pixel-1",
        "client_id": DATABUDDY_SITE,
        "sdk_name": "web",
        "sdk_version": "2.6.0",
    }
    image = {"url": f"{gateway.url}/px.jpg", "fields": fields}
    assert visit(page, ("pixel", image), ("pixel", image)).told == [{"width": 1, "height": 1}] * 2
    assert stored.take(1) == [
        event(
            "databuddy",
            name="signup",
            message_id="pixel-1",
            timestamp=AT_NOON,
            **KNOWN,
            properties={"plan": "pro", "seats": 3},
            context={
                **AROUND,
                "library": {"name": "web", "version": "2.6.0"},
                "databuddy": {"source": "browser"},
            },
        )
    ]


@pytest.mark.proves(SDK, VERSION, "screen_view by pixel")
def test_a_page_view_by_pixel_is_a_page(gateway: Served, stored: Kept, visit: Open, page: str) -> None:
    fields = {"type": "track", "name": "screen_view", "eventId": "pixel-2", **WHO, "timestamp": NOON, "path": ADDRESS}
    image = {**fields, "title": "Pricing", "viewport_size": "1280x720", "rtt": 50, "client_id": DATABUDDY_SITE}
    assert visit(page, ("pixel", {"url": f"{gateway.url}/px.jpg", "fields": image})).told == [{"width": 1, "height": 1}]
    assert stored.take(1) == [
        event(
            "databuddy",
            "page",
            name="Pricing",
            message_id="pixel-2",
            timestamp=AT_NOON,
            **KNOWN,
            context={
                **AROUND,
                "page": {"url": ADDRESS, "path": "/pricing", "title": "Pricing"},
                "viewport": {"width": 1280, "height": 720},
                "network": {"rtt": 50},
            },
        )
    ]


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        (f"/track?website_id={DATABUDDY_SITE}", [{"nam": "a"}], 400, "Invalid request body"),
        ("/track", [{"name": "a"}], 401, "API key or website_id required"),
        ("/track?website_id=nobodys", [{"name": "a"}], 404, "Website not found"),
        (f"/track?website_id={DATABUDDY_OTHERS_SITE}", [{"name": "a"}], 403, "Origin not authorized"),
        (f"/batch?client_id={DATABUDDY_SITE}", {}, 400, "Batch endpoint expects array of events"),
        ("/batch?client_id=nobodys", [{"name": "a"}], 400, "Invalid or inactive client ID"),
        (f"/batch?client_id={DATABUDDY_OTHERS_SITE}", [{"name": "a"}], 403, "Origin not authorized"),
    ],
)
@pytest.mark.proves(SDK, VERSION, "an error of {path} ({status}), read by the page")
def test_a_page_can_read_an_error(
    stored: Kept, gateway: Served, visit: Open, page: str, path: str, body: object, status: int, message: str
) -> None:
    site = path.rpartition("=")[2] if "=" in path else ""
    seen = visit(page, ("fetch", {"url": gateway.url + path, "site": site, "body": body}))
    assert seen.told == [{"status": status, "body": {"status": "error", "message": message}}]
    assert stored.take(0) == []
