"""What is kept of a request has no secret in it, however it was spelled, and is otherwise as it came."""

import json
import tracemalloc
from collections.abc import Mapping

import attrs
import pytest

from gateway.dialect import MAX_CREDENTIAL, Credential
from gateway.dialect.message import Request
from gateway.dialect.outcome import Fault, Outcome, Verdict
from gateway.records.raw_request import RawRequest
from gateway.records.redact import Redaction
from gateway.records.spellings import MAX_WORDS
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


def test_a_variable_of_the_path_that_the_dialect_calls_secret_is_blanked_in_it() -> None:
    sent = attrs.evolve(request(), path="/acme/Key+0123/site-9", variables={"apikey": "Key+0123", "site": "site-9"})
    redaction = Redaction.of(sent, OWN, [])
    assert redaction.request(sent).path == redaction.nameless(sent).path == "/acme/[redacted]/site-9"
    assert redaction.log_text("PATCH /acme/Key%2B0123/site-9") == "PATCH /acme/[redacted]/site-9"


def test_a_header_that_the_dialect_calls_secret_is_blanked_whatever_its_name() -> None:
    own = attrs.evolve(OWN, secret_fields=("X-Acme-Client",))
    sent = request(headers={"x-acme-client": "unknown-0123456789", "x-acme-version": "1"})
    kept = Redaction.of(sent, own, []).request(sent)
    assert json.loads(kept.headers) == {"x-acme-client": "[redacted]", "x-acme-version": "1"}


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


@pytest.mark.parametrize(
    ("came", "stays"),
    [
        ('{"a":"\\"","k":"ab\\/cd\\u002bef"}', '{"a":"\\"","k":"[redacted]"}'),
        ('{"a":"ab%2fcd%2Bef","b":"%61b/cd+ef"}', '{"a":"[redacted]","b":"[redacted]"}'),
        ('{"a":"{\\"k\\":\\"ab\\\\/cd+ef\\"}"}', '{"a":"{\\"k\\":\\"[redacted]\\"}"}'),
        ('{"api\\u004bey":"other","a":"\\n"}', '{"api\\u004bey":"[redacted]","a":"\\n"}'),
        ('{"a":"{\\"apiKey\\":\\"other\\"}"}', '{"a":"{\\"apiKey\\":\\"[redacted]\\"}"}'),
        ('["x", "ab/cd+ef": ', '["x", "[redacted]": '),
        ("{k: ab/cd+ef}", "{k: [redacted]}"),
        ("k=1&a=ab%2Fcd%2Bef&apikey=other", "k=1&a=[redacted]&apikey=[redacted]"),
        (
            '--x\r\nA: b; name="apiKey"\r\nC: d\r\n\r\nother\r\n--x--',
            '--x\r\nA: b; name="apiKey"\r\nC: d\r\n\r\n[redacted]\r\n--x--',
        ),
        ("monkey=1", "monkey=1"),
    ],
)
def test_a_secret_is_found_in_whatever_way_a_body_spells_it(came: str, stays: str) -> None:
    assert of(request(came.encode()), value="ab/cd+ef").body == stays.encode()


@pytest.mark.parametrize("word", ["null", "true", "12345678", '":1,', "\\nab", "0061"])
def test_json_stays_json_when_a_secret_is_a_word_of_its_own(word: str) -> None:
    body = {"a": [None, True, 12345678, 1e10], '":1,': "\n\u0061", "b": word}
    kept = json.loads(of(request(json.dumps(body).encode()), value=word).body)
    assert (next(iter(kept.values())), kept["b"]) == (body["a"], "[redacted]")


def test_more_words_that_look_secret_than_are_searched_for_leave_nothing_that_may_be_one() -> None:
    def kept(words: int) -> tuple[RawRequest, int]:
        header = " ".join([f"secret{number:06d}" for number in range(words)])
        sent = request(
            f'{{"k":"secret{words - 1:06d}"}}'.encode(), {"x-token": header, "referer": "https://a"}, {"q": header}
        )
        redaction = Redaction.of(sent, OWN, [], is_stranger=True)
        return redaction.request(sent), len(redaction.secrets.spellings)

    few, searched = kept(MAX_WORDS)
    assert (few.body, searched < 8 * MAX_WORDS) == (b'{"k":"[redacted]"}', True)
    many, searched = kept(5000)
    assert (many.path, many.query, many.body, searched) == ("[redacted]", b'{"q":"[redacted]"}', b'"[redacted]"', 0)
    assert json.loads(many.headers) == {"x-token": "[redacted]", "referer": "[redacted]"}


def test_a_credential_longer_than_any_can_be_is_not_searched_for() -> None:
    long = "x" * (MAX_CREDENTIAL + 1)
    assert Redaction.of(request(), OWN, [Credential("api_key", long)]).secrets.spellings == ()


def test_of_a_strangers_request_what_its_secret_headers_say_is_a_secret_and_public_ids_are_none() -> None:
    headers = {
        "Authorization": "Bearer first-secret, Bearer second-secret",
        "Proxy-Authorization": "Basic YW5uLXRoZS1maXJzdDpwYXNzd29yZC0x",
        "X-Signature": 'v="third-secret";w',
        "Cookie": "session_token=fourth-secret; theme=dark-theme",
        "X-Session-Id": "session-one",
        "X-Api-Key": "site-12345",
    }
    words = ("first-secret", "second-secret", "ann-the-first", "password-1", "third-secret", "fourth-secret")
    others = ("dark-theme", "session-one", "site-12345")
    sent = request(json.dumps([*words, *others]).encode(), headers)
    redaction = Redaction.of(sent, OWN, [Credential("site", "site-12345")], is_stranger=True)
    assert json.loads(redaction.request(sent).body) == ["[redacted]"] * len(words) + [*others]
    assert set(json.loads(redaction.request(sent).headers).values()) == {
        "[redacted]",
        "Bearer [redacted]",
        "Basic [redacted]",
    }


def test_no_word_of_a_stranger_stays_in_memory() -> None:
    def rejected(number: int) -> None:
        key = f"{number:06d}" + "k" * 200_000
        sent = request(json.dumps({"apiKey": key}).encode(), {"x-token": key[:10_000]}, {"token": key})
        redaction = Redaction.of(sent, OWN, [Credential("api_key", key), Credential("api_key", key[:500])], True)
        redaction.request(sent)
        redaction.log_text(key)

    rejected(0)
    tracemalloc.start()
    for number in range(20):
        rejected(number)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 100_000


@pytest.mark.parametrize("name", ["pwd", "PASSPHRASE", "apiToken", "api_token", "x_api_key", "aws_secret_access_key"])
def test_a_field_of_a_strangers_that_is_named_like_a_secret_is_redacted(name: str) -> None:
    sent = request(json.dumps({name: "a-value", "plan": "pro"}).encode(), {}, {name: "a-value", "plan": "pro"})
    kept = Redaction.of(sent, OWN, [], is_stranger=True).request(sent)
    hidden = {name: "[redacted]", "plan": "pro"}
    assert (json.loads(kept.body), json.loads(kept.query)) == (hidden, hidden)


@pytest.mark.parametrize(
    ("pointer", "kept"),
    [
        (f"/properties/{SECRET}/0", "/properties/[redacted]/0"),
        ("/properties/acme~1+~00123", "/properties/[redacted]"),
        ("/properties/a~1b", "/properties/a~1b"),
    ],
)
def test_a_fault_at_a_field_that_is_named_like_the_key_does_not_tell_it(pointer: str, kept: str) -> None:
    redaction = Redaction.of(request(), OWN, [Credential("api_key", SECRET), Credential("api_key", "acme/+~0123")])
    good, fault = Outcome(Verdict.STORED, "m-1"), Fault("type", pointer, {"received": "number", "said": [SECRET, 1]})
    told = Fault("type", kept, {"received": "number", "said": ["[redacted]", 1]})
    bad = Outcome(Verdict.QUARANTINED, "m-2", (fault,))
    assert redaction.outcomes((good, bad)) == (good, Outcome(Verdict.QUARANTINED, "m-2", (told,)))
    assert redaction.faults([{"code": "type", "pointer": pointer}]) == [{"code": "type", "pointer": kept}]
