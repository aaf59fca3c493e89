"""What a replay reads of a kept request."""

from gateway.dialect.message import Request
from gateway.operate.held.replay import request_of
from gateway.records.redact import Redaction
from tests.kit.fake_dialect import dialect


def test_a_kept_request_is_the_one_that_came_though_a_header_is_not_utf_8() -> None:
    came = Request("POST", "/x", {"name": "\udcff"}, {"user-agent": "Caf\udce9", "host": "h"}, b"{}", 5, "192.0.2.1")
    kept = Redaction.of(came, dialect, ()).request(came)
    assert request_of(kept, 5) == came
