"""How bodies are parsed, beyond what the corpus shows."""

import functools

import pytest

from dialects.browsee.parse import track
from gateway.dialect import Credential, Fault, Item, Request, Submission


def request(body: bytes, **headers: str) -> Request:
    return Request("POST", "/api/v1/track", {}, headers, body, 1767323045678, "203.0.113.9")


coerced = functools.partial(track, stringify_ids=True)


def test_the_key_is_the_credential_and_leaves_the_item() -> None:
    assert track(request(b'{"apiKey":"k","event":"E"}')) == Submission(
        (Credential("api_key", "k"),), (Item("track", "track", {"event": "E"}),)
    )


def test_only_a_browser_has_a_context() -> None:
    browser = {"ip": "203.0.113.9", "user_agent": "M"}
    assert track(request(b"{}", **{"user-agent": "curl"})).context == {}
    assert track(request(b"{}", origin="null")).context == {"ip": "203.0.113.9"}
    assert track(request(b"{}", origin="null", **{"user-agent": "M"})).context == browser
    assert track(request(b"{}", **{"sec-fetch-site": "cross-site", "user-agent": "M"})).context == browser


def test_a_user_agent_that_is_not_utf_8_is_mended() -> None:
    headers = {"origin": "null", "user-agent": "caf\udce9 \udcff"}
    assert track(request(b"{}", **headers)).context == {
        "ip": "203.0.113.9",
        "user_agent": "caf\ufffd \ufffd",
    }


def test_a_body_that_cannot_be_read_carries_its_fault() -> None:
    assert track(request(b"")) == Submission(fault=Fault("empty"))
    assert track(request(b'{"apiKey":"k"')).fault == Fault(
        "malformed", detail={"problem": "Expecting ',' delimiter", "offset": 13}
    )


@pytest.mark.parametrize(
    "body",
    [b"null", b"1e40", b'"a"', b"[]", b"[1e40]", b"[null]", b'[{"apiKey":1e40}]', b'[{"apiKey":[]}]', b"1" * 4400],
)
def test_what_is_no_object_has_no_item_and_no_key(body: bytes) -> None:
    assert track(request(body)) == Submission(fault=Fault("not_object"))


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        (b"42", "42"),
        (b"42.0", "42"),
        (b"4.5", "4.5"),
        (b"-7", "-7"),
        (b"1" * 1000, "1" * 1000),
        (b"1e21", "1e+21"),
        (b"1e20", "100000000000000000000"),
        (b"1.5e-7", "1.5e-7"),
        (b"1e300", "1e+300"),
        (b"true", True),
        (b"null", None),
        (b'"x"', "x"),
        (b"[1]", [1]),
    ],
)
def test_numeric_ids_become_text_and_nothing_else_does(sent: bytes, taken: object) -> None:
    submission = coerced(request(b'{"apiKey":"k","userId":' + sent + b"}"))
    assert submission.items == (Item("track", "track", {"userId": taken}),)


def test_an_id_that_is_not_kept_stays_a_mark_for_the_core_to_find() -> None:
    [item] = coerced(request(b'{"userId":' + b"9" * 1001 + b',"anonymousId":' + b"9" * 4400 + b"}")).items
    assert isinstance(item.payload, dict)
    assert [value.code for value in item.payload.values()] == ["integer_too_long", "integer_too_long"]
