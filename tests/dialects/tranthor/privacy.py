"""An event in which a person is named, for tests/ingest/test_privacy.py."""

from tests.ingest.named_persons import ADDRESS, WHO, Said

KEY = "wk_private"
SAID = Said(
    kind="write_key",
    key=KEY,
    path="/api/public/apps/track",
    body={"event": "seen", "userId": WHO, "messageId": "m-1", "properties": {"a": 1}, "context": {"ip": ADDRESS}},
    headers={"PublicWriteKey": KEY},
    message_id="m-1",
    properties={"a": 1},
)
