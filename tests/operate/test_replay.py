"""A kept request as it is translated again."""

from gateway.dialect.message import Request
from gateway.operate.replay import request_of
from gateway.records.raw_request import RawRequest


def test_a_request_with_bytes_that_are_not_utf_8_in_its_head_can_be_translated_again() -> None:
    raw = RawRequest("POST", "/", rb'{"q": "\ud83d"}', rb'{"user-agent": "Caf\udce9"}', b"{}", "192.0.2.1", None)
    assert request_of(raw, 1) == Request(
        "POST", "/", {"q": "\ud83d"}, {"user-agent": "Caf\udce9"}, b"{}", 1, "192.0.2.1"
    )
