"""One plain browser call a dialect: where it goes, what it carries, and what it makes."""

from typing import Any

import attrs

from tests.sdk.credentials import APPIZER_APP, BROWSEE_KEY, DATABUDDY_KEY, TRANTHOR_TOKEN
from tests.sdk.stored import CHROMIUM, event

JSON = {"Content-Type": "application/json"}
AROUND = {"ip": "127.0.0.1", "user_agent": CHROMIUM}


@attrs.frozen
class Call:
    """A request whose headers all have to be allowed to a page, and the event that it makes."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    status: int
    stored: dict[str, Any]


CALLS = {
    "databuddy": Call(
        "/track",
        {**JSON, "x-api-key": DATABUDDY_KEY, "databuddy-sdk-name": "web", "databuddy-sdk-version": "2.6.0"},
        {"name": "seen"},
        200,
        event("databuddy", name="seen", context={**AROUND, "library": {"name": "web", "version": "2.6.0"}}),
    ),
    "appizer": Call(
        "/v1/events",
        {**JSON, "X-App-Id": APPIZER_APP},
        {"event_name": "seen", "user_id": "u-1"},
        200,
        event("appizer", name="seen", user_id="u-1", context={**AROUND, "app": {"id": APPIZER_APP}}),
    ),
    "tranthor": Call(
        "/api/public/apps/track",
        {**JSON, "PublicWriteKey": TRANTHOR_TOKEN},
        {"messageId": "m-1", "userId": "u-1", "event": "seen"},
        204,
        event("tranthor", name="seen", message_id="m-1", user_id="u-1", context=AROUND),
    ),
    "browsee": Call(
        "/api/v1/track",
        JSON,
        {"apiKey": BROWSEE_KEY, "event": "seen", "userId": "u-1"},
        200,
        event("browsee", name="seen", user_id="u-1", context=AROUND),
    ),
}
