"""An event in which a person is named, for tests/ingest/test_privacy.py."""

from tests.ingest.named_persons import ADDRESS, WHO, Said

KEY = "ak_private0123456789"
SAID = Said(
    kind="api_key",
    key=KEY,
    path="/v1/events",
    body={"event_name": "seen", "user_id": WHO, "ip": ADDRESS, "unknown": WHO, "properties": {"a": 1}},
    headers={"Authorization": f"Bearer {KEY}"},
    message_id=None,
    properties={"a": 1},
)
