"""What the team has that uses Appizer's SDKs: the credentials in its code, and so in the gateway; a plain call."""

from tests.sdk.calls import AROUND, JSON, Call
from tests.sdk.site import HOST
from tests.sdk.stored import event

APPIZER_KEY = "ak_0123456789abcdef0123456789abcdef"
APPIZER_READER = "ak_ffffffffffffffffffffffffffffffff"  # may not write
APPIZER_APP = "shop-web"  # allowed on our own page only
APPIZER_OTHERS_APP = "blog-web"

KEYS = (
    ("api_key", APPIZER_KEY),
    ("api_key", APPIZER_READER, "--scope", "read"),
    ("app", APPIZER_APP, "--origin", HOST),
    ("app", APPIZER_OTHERS_APP, "--origin", "blog.example.test"),
)
"""Kind, value and further options of `gateway keys add`."""

CALL = Call(
    "/v1/events",
    {**JSON, "X-App-Id": APPIZER_APP},
    {"event_name": "seen", "user_id": "u-1"},
    200,
    event("appizer", name="seen", user_id="u-1", context={**AROUND, "app": {"id": APPIZER_APP}}),
    counted={"x-ratelimit-remaining": ["1", "0", "0"]},
)
