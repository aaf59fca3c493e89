"""What is kept of a request has no secret in it, however it was spelled, and is otherwise as it came."""

import json
from collections.abc import Mapping

import attrs
import pytest

from gateway.dialect import Credential
from gateway.dialect.message import Request
from gateway.records.raw_request import RawRequest
from gateway.records.redact import Redaction
from tests.kit.fake_dialect import dialect

SECRET = "acme_0123456789"
OWN = attrs.evolve(dialect, secret_fields=("apiKey",))


def request(
    body: bytes = b"{}", headers: Mapping[str, str] | None = None, query: Mapping[str, str] | None = None
) -> Request:
    return Request("POST", "/acme", query or {}, headers or {}, body, 0, "192.0.2.77")


def of(sent: Request, kind: str = "api_key", value: str = SECRET) -> RawRequest:
    return Redaction.of(sent, OWN, [Credential(kind, value)]).request(sent, "site-1")


def test_a_request_without_secrets_is_kept_as_it_came() -> None:
    sent = request(b'\xff{"a": "\\u00e9"}', {"Host": "h", "Idempotency-Key": "k-1"}, {"a": "1"})
    expected = (b'{"a":"1"}', b'{"host":"h","idempotency-key":"k-1"}', sent.body, "192.0.2.77", "site-1")
    assert of(sent) == RawRequest("POST", "/acme", *expected)


@pytest.mark.parametrize(
    ("came", "stays"),
    [
        ({"Authorization": f"Bearer {SECRET}"}, {"authorization": "Bearer [redacted]"}),
        ({"Authorization": "bearer other"}, {"authorization": "bearer [redacted]"}),
        ({"Authorization": "odd other"}, {"authorization": "[redacted]"}),
        (
            {"X-Api-Key": "other", "PublicWriteKey": "other"},
            {"x-api-key": "[redacted]", "publicwritekey": "[redacted]"},
        ),
        ({"Cookie": "session=1", "Host": "h"}, {"host": "h"}),
        ({"Referer": f"https://a.example/?k={SECRET}"}, {"referer": "https://a.example/?k=[redacted]"}),
    ],
)
def test_headers_that_are_secrets_are_blanked(came: dict[str, str], stays: dict[str, str]) -> None:
    assert json.loads(of(request(headers=came)).headers) == stays


@pytest.mark.parametrize(
    ("came", "stays"),
    [
        (f'{{"k":"{SECRET}"}}', '{"k":"[redacted]"}'),
        ('{"k":"acme_012345678\\u0039","a":"\\n"}', '{"k":"[redacted]","a":"\\n"}'),
        ('{"apiKey" : "another","apiKey":"one \\" more"}', '{"apiKey" : "[redacted]","apiKey":"[redacted]"}'),
        (f"no json {SECRET}", "no json [redacted]"),
        ('"\\', '"\\'),
        ('{"apiKey":"another\\\n one"}', '{"apiKey":"[redacted]"}'),
        ('{"apiKey":"another\\', '{"apiKey":"[redacted]"'),
    ],
)
def test_a_body_is_kept_but_for_secrets(came: str, stays: str) -> None:
    assert of(request(came.encode())).body == stays.encode()


def test_a_query_is_kept_but_for_secrets() -> None:
    sent = request(query={"apiKey": "other", "a": f"x{SECRET}", SECRET: "b"})
    assert json.loads(of(sent).query) == {"apiKey": "[redacted]", "a": "x[redacted]", "[redacted]": "b"}


def test_public_ids_stay() -> None:
    sent = request(b'{"site":"1234-5678"}', query={"site": "1234-5678"})
    raw = of(sent, "site", "1234-5678")
    assert (raw.body, raw.query) == (sent.body, b'{"site":"1234-5678"}')


def test_where_a_project_keeps_no_addresses_none_is_kept() -> None:
    sent = request(headers={"X-Forwarded-For": "192.0.2.77", "Host": "h"})
    raw = Redaction.of(sent, OWN, []).request(sent, keep_ip=lambda _address: None)
    assert (raw.client_ip, raw.headers) == (None, b'{"host":"h"}')


def test_by_whatever_name_a_proxy_tells_the_address_it_is_not_kept_there() -> None:
    told = (
        *("Forwarded", "X-Forwarded-For", "X-Original-Forwarded-For", "X-Real-IP", "True-Client-IP", "Client-IP"),
        *("CF-Connecting-IP", "CF-Connecting-IPv6", "Fastly-Client-IP", "X-Azure-ClientIP", "X-Cluster-Client-IP"),
        *("X-Envoy-External-Address", "X-Appengine-User-IP", "Remote-Addr", "X-Remote-Addr"),
    )
    others = {"x-zip": "1", "x-ship": "1", "user-agent": "a"}
    sent = request(headers={**dict.fromkeys(told, "192.0.2.77"), **others})
    assert json.loads(Redaction.of(sent, OWN, []).request(sent, keep_ip=lambda _address: None).headers) == others
    assert len(json.loads(Redaction.of(sent, OWN, []).request(sent).headers)) == len(told) + len(others)


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        (f"POST /a/{SECRET}", "POST /a/[redacted]"),
        ("POST /a/worn_0123456789", "POST /a/[redacted]"),
        ("POST /a\nforged \x1b[2J\u2028\udcff", "POST /a\\nforged \\x1b[2J\\u2028\\udcff"),
        ("POST /" + "a" * 1000, "POST /" + "a" * 494),
    ],
)
def test_a_line_of_the_log_has_no_secret_and_no_end_within(said: str, logged: str) -> None:
    sent = request(headers={"authorization": "Token worn_0123456789"})
    assert Redaction.of(sent, OWN, [Credential("api_key", SECRET)], is_stranger=True).log_text(said) == logged


def test_a_header_that_is_not_utf8_is_kept_as_escapes() -> None:
    assert of(request(headers={"user-agent": "\udcff"})).headers == b'{"user-agent": "\\udcff"}'
