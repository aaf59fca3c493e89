"""What the team has that uses Tranthor's SDKs: the credentials in its code, and so in the gateway; a plain call."""

from tests.sdk.calls import AROUND, JSON, Call
from tests.sdk.stored import event

TRANTHOR_TOKEN = "MTExMTExMTEtMTExMS00MTExLTgxMTEtMTExMTExMTExMTExOjAxMjM0NTY3ODlhYmNkZWY="
TRANTHOR_KEY = f"Basic {TRANTHOR_TOKEN}"  # as an SDK has it

KEYS = (("write_key", TRANTHOR_TOKEN),)
"""Kind, value and further options of `gateway keys add`."""

CALL = Call(
    "/api/public/apps/track",
    {**JSON, "PublicWriteKey": TRANTHOR_TOKEN},
    {"messageId": "m-1", "userId": "u-1", "event": "seen"},
    204,
    event("tranthor", name="seen", message_id="m-1", user_id="u-1", context=AROUND),
)
