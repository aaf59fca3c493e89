"""What the team has that uses Databuddy's SDKs: the credentials in its code, and so in the gateway; a plain call."""

from tests.sdk.calls import AROUND, JSON, Call
from tests.sdk.stored import event

DATABUDDY_KEY = "dbdy_0123456789abcdef0123456789abcdef0123456789abcdef"
DATABUDDY_SITE = "550e8400-e29b-41d4-a716-446655440000"
DATABUDDY_OTHERS_SITE = "22222222-2222-4222-8222-222222222222"  # allowed on a page that is not ours

KEYS = (
    ("api_key", DATABUDDY_KEY),
    ("website", DATABUDDY_SITE),
    ("website", DATABUDDY_OTHERS_SITE, "--origin", "blog.example.test"),
)
"""Kind, value and further options of `gateway keys add`."""

CALL = Call(
    "/track",
    {**JSON, "x-api-key": DATABUDDY_KEY, "databuddy-sdk-name": "web", "databuddy-sdk-version": "2.6.0"},
    {"name": "seen"},
    200,
    event("databuddy", name="seen", context={**AROUND, "library": {"name": "web", "version": "2.6.0"}}),
)
