"""An event in which a person is named, for tests/ingest/test_privacy.py."""

from tests.ingest.named_persons import WHO, Said

KEY = "dbdy_" + "0" * 48
SAID = Said(
    kind="api_key",
    key=KEY,
    path="/track",
    body={"name": "seen", "anonymousId": WHO, "eventId": "e-1", "properties": {"a": 1, "who": WHO}},
    headers={"x-api-key": KEY},
    message_id="e-1",
    properties={"a": 1, "who": "[removed]"},
)
