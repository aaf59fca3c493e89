"""What the team has that uses Browsee's SDKs: the credentials in its code, and so in the gateway; a plain call."""

from tests.sdk.calls import AROUND, JSON, Call
from tests.sdk.stored import event

BROWSEE_KEY = "0123456789abcdef0123456789abcdef0123456789abcdef"

KEYS = (("api_key", BROWSEE_KEY),)
"""Kind, value and further options of `gateway keys add`."""

CALL = Call(
    "/api/v1/track",
    JSON,
    {"apiKey": BROWSEE_KEY, "event": "seen", "userId": "u-1"},
    200,
    event("browsee", name="seen", user_id="u-1", context=AROUND),
)
