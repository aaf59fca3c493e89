"""A request as it is kept beside its quarantined items."""

import hashlib

from gateway.dialect.decode import decode
from gateway.ingest.kept_requests import compressed, keep, payload_json
from gateway.records.raw_request import RawRequest, decompress
from gateway.storage.contract import KeptRequest


def raw(body: bytes, headers: bytes = b'{"host":"h"}') -> RawRequest:
    return RawRequest("POST", "/p", b"{}", headers, body)


async def test_a_short_and_a_long_request_are_kept_whole_with_the_digest_of_the_body() -> None:
    for body in (b'{"a":1}', b"\xff\n" * 100_000):
        kept = await keep(raw(body))
        assert decompress(kept.compressed) == raw(body) == decompress(await compressed(raw(body)))
        assert kept == KeptRequest(kept.compressed, len(body), hashlib.sha256(body).digest())


def test_a_payload_nested_beyond_what_python_writes_is_the_whole_body_as_text() -> None:
    nested: object = "x"
    for _ in range(100_000):
        nested = [nested]
    assert payload_json({"a": decode(b"1")}, b"") == b'{"a":1}'
    assert payload_json(nested, b"[\xff]") == b'"[\\ufffd]"'
