"""What Tranthor's newer SDK line and its raw REST callers send, by plain clients: no package of it can be installed.

`@dittofeed/sdk-node` 0.4.0 and `@dittofeed/sdk-web` 0.3.1 are recorded in the contract; the registry has 0.1.2 only.
"""

import pytest

from tests.dialects.tranthor.sdk import TRANTHOR_KEY
from tests.kit.serving import Served
from tests.sdk.clients import CLIENTS
from tests.sdk.programs import Open
from tests.sdk.site import Site
from tests.sdk.stored import CHROMIUM, Kept, event

NEWER, LINE = "Tranthor's newer SDKs (their requests)", "sdk-node 0.4.0, sdk-web 0.3.1"
REST = "Tranthor HTTP API"
EVERY = pytest.mark.parametrize("client", CLIENTS)
BASE = "/api/public/apps/"
KEY = {"Authorization": TRANTHOR_KEY}
JSON = {"Content-Type": "application/json"}


@pytest.mark.proves(NEWER, LINE, "subscribe(): a batch with DFSubscriptionChange")
def test_a_subscription_is_a_track_event(gateway: Served, stored: Kept) -> None:
    change = {"subscriptionId": "s-1", "action": "Subscribe"}
    item = {"type": "track", "messageId": "sub-1", "userId": "u-1", "event": "DFSubscriptionChange"}
    body = {"batch": [{**item, "properties": change}]}
    assert CLIENTS["Node fetch"](f"{gateway.url}{BASE}batch", body, KEY) == (204, None)
    assert stored.take(1) == [
        event("tranthor", name="DFSubscriptionChange", message_id="sub-1", user_id="u-1", properties=change)
    ]


@pytest.mark.proves(NEWER, LINE, "a page's batch with an anonymousId of the SDK's own")
def test_a_visitor_without_a_name_is_stored(gateway: Served, stored: Kept, visit: Open, shop: Site) -> None:
    page = shop.page("/newer.html", "<script src=/calls.js></script>")
    visitor = "3b241101-e2bb-4255-8caf-4136c566a962"
    body = {"batch": [{"type": "page", "messageId": "page-1", "anonymousId": visitor, "name": "Home"}]}
    given = {"url": f"{gateway.url}{BASE}batch", "headers": {**JSON, "authorization": TRANTHOR_KEY}, "body": body}
    answer = visit(page, ("send", given)).told[0]
    assert (answer["status"], answer["body"]) == (204, None)
    around = {"ip": "127.0.0.1", "user_agent": CHROMIUM}
    assert stored.take(1) == [
        event("tranthor", "page", name="Home", message_id="page-1", anonymous_id=visitor, context=around)
    ]


@EVERY
@pytest.mark.proves(REST, "{client}", "POST identify, track, page, screen, group")
def test_each_endpoint_stores_an_event_of_its_type(gateway: Served, stored: Kept, client: str) -> None:
    who = {"userId": "u-1"}
    sent: dict[str, dict[str, object]] = {
        "identify": {"traits": {"email": "a@example.com"}},
        "track": {"event": "Paid", "properties": {"total": 12.5}},
        "page": {"name": "Home", "properties": {"path": "/"}},
        "screen": {"name": "Recipe"},
        "group": {"groupId": "g-1", "assigned": False, "traits": {"size": 3}},
    }
    for path, fields in sent.items():
        body = {"messageId": f"{path}-{client}", **who, **fields}
        assert CLIENTS[client](f"{gateway.url}{BASE}{path}", body, KEY) == (204, None)
    expected: dict[str, dict[str, object]] = {
        "identify": {"traits": {"email": "a@example.com"}},
        "track": {"name": "Paid", "properties": {"total": 12.5}},
        "page": {"name": "Home", "properties": {"path": "/"}, "context": {"page": {"path": "/"}}},
        "screen": {"name": "Recipe"},
        "group": {"group_id": "g-1", "traits": {"size": 3}, "context": {"tranthor": {"assigned": False}}},
    }
    assert stored.take(5) == [
        event("tranthor", type_, message_id=f"{type_}-{client}", user_id="u-1", **fields)
        for type_, fields in expected.items()
    ]


@EVERY
@pytest.mark.proves(REST, "{client}", "errors: wrong key, no messageId, alias")
def test_errors_come_in_the_vendors_words(gateway: Served, stored: Kept, client: str) -> None:
    def post(path: str, body: object, key: str = TRANTHOR_KEY) -> tuple[int, object]:
        return CLIENTS[client](f"{gateway.url}{BASE}{path}", body, {"Authorization": key})

    good = {"messageId": "m-1", "userId": "u-1", "event": "Paid"}
    assert post("track", good, "Basic d3Jvbmc=") == (401, {"message": "Invalid write key."})
    assert post("batch", {"batch": []}, "Basic d3Jvbmc=") == (401, {"message": "InvalidWriteKey"})
    assert post("alias", {}) == (400, {"message": "Not yet implemented."})
    status, body = post("track", {"userId": "u-1", "event": "Paid"})
    assert (status, body) == (
        400,
        {
            "statusCode": 400,
            "code": "FST_ERR_VALIDATION",
            "error": "Bad Request",
            "message": "body must have required property 'messageId', body must have required property 'messageId', "
            "body must match a schema in anyOf",
        },
    )
    assert stored.take(0) == []
