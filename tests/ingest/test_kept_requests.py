"""A request as it is kept beside its quarantined items: headers within a bound, the body whole."""

import hashlib
import json

import orjson

from gateway.dialect.decode import decode
from gateway.ingest.kept_requests import MAX_HEADERS, bounded_headers, compressed, keep, payload_json
from gateway.records.raw_request import RawRequest, decompress
from gateway.storage.contract import KeptRequest


def raw(body: bytes, headers: bytes = b'{"host":"h"}') -> RawRequest:
    return RawRequest("POST", "/p", b"{}", headers, body)


async def test_a_short_and_a_long_request_are_kept_whole_with_the_digest_of_the_body() -> None:
    for body in (b'{"a":1}', b"\xff\n" * 100_000):
        kept = await keep(raw(body))
        assert decompress(kept.compressed) == raw(body) == decompress(await compressed(raw(body)))
        assert kept == KeptRequest(kept.compressed, len(body), hashlib.sha256(body).digest())


def test_the_longest_headers_are_left_out_beyond_a_bound() -> None:
    few = orjson.dumps({"host": "h", "x": "y" * 100})
    many = {"host": "h", "x-long": "é" * 20_000, **{f"x-{number}": "z" * 50 for number in range(100)}}
    found = bounded_headers(orjson.dumps(many))
    assert bounded_headers(few) == few
    assert len(found) <= MAX_HEADERS
    assert json.loads(found) == {**{name: many[name] for name in many if name != "x-long"}, "(not kept)": "x-long"}
    assert len(bounded_headers(orjson.dumps({"n" * 60_000: "v"}))) < 1000


def test_headers_of_any_bytes_are_bounded_too() -> None:
    headers = json.dumps({"x-bad": "\udcff" * 9000, "host": "h"}).encode()
    assert json.loads(bounded_headers(headers)) == {"host": "h", "(not kept)": "x-bad"}


def test_a_payload_nested_beyond_what_python_writes_is_the_whole_body_as_text() -> None:
    nested: object = "x"
    for _ in range(100_000):
        nested = [nested]
    assert payload_json({"a": decode(b"1")}, b"") == b'{"a":1}'
    assert payload_json(nested, b"[\xff]") == b'"[\\ufffd]"'
