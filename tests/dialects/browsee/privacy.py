"""An event in which a person is named, for tests/ingest/test_privacy.py."""

from tests.ingest.named_persons import WHO, Said

KEY = "bk_p"
SAID = Said(
    kind="api_key",
    key=KEY,
    path="/api/v1/track",
    body={"apiKey": KEY, "event": "seen", "userId": WHO, "anonymousId": f"{WHO}-2", "properties": {"a": 1}},
    headers={},
    message_id=None,
    properties={"a": 1},
)
