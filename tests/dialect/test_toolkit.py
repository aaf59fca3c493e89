"""What dialects share: bodies, headers, who sent a request, times and numbers."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialect import (
    Fault,
    Request,
    Unkept,
    bearer,
    clean_header,
    from_iso,
    from_millis,
    from_seconds,
    is_browser,
    js_number,
    json_or_fault,
    json_type,
    time_or_original,
    unknown_fields,
    visitor,
)

ADDRESS = "203.0.113.9"


def request(headers: dict[str, str], client_ip: str | None = ADDRESS) -> Request:
    return Request("POST", "/", {}, headers, b"", 0, client_ip)


def test_a_body_is_its_value_or_the_fault_that_says_why_it_has_none() -> None:
    assert json_or_fault(b'{"a":[1,null]}') == ({"a": [1, None]}, None)
    assert json_or_fault(b"null") == (None, None)
    assert json_or_fault(b" ") == (None, Fault("empty"))
    assert json_or_fault(b"\xff") == (None, Fault("invalid_utf8", detail={"offset": 0}))


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (True, "boolean"),
        (0, "number"),
        (1.5, "number"),
        (2**70, "number"),
        (Unkept("integer_too_long", "9"), "number"),
        ("", "string"),
        ([], "array"),
        ({}, "object"),
    ],
)
def test_a_type_has_its_json_name(value: object, name: str) -> None:
    assert json_type(value) == name


def test_unknown_fields_are_those_that_nobody_named() -> None:
    known = frozenset({"a", "b"})
    assert unknown_fields({"a": 1, "x": None, "y": {"a": 1}}, known) == {"x": None, "y": {"a": 1}}
    assert unknown_fields({"a": 1}, known) == {}
    assert unknown_fields({}, known) is unknown_fields({"b": 2}, known)


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("  bEARER \t abc ", "abc"),
        ("Bearer a b", "a b"),
        ("Bearer", ""),
        ("Bearer  ", ""),
        ("Basic abc", None),
        ("Bearerabc", None),
        ("abc", None),
        ("", None),
        ("  ", None),
    ],
)
def test_a_token_stands_behind_the_word_bearer(header: str, token: str | None) -> None:
    assert bearer({"authorization": header}) == token


def test_a_request_without_authorization_has_no_token() -> None:
    assert bearer({}) is None


def test_a_header_is_a_text_that_can_be_stored() -> None:
    assert clean_header("Mozilla/5.0") == "Mozilla/5.0"
    assert clean_header("café 😀") == "café 😀"
    assert clean_header("caf\udce9") == "caf\ufffd"


@given(st.text(st.characters(codec=None)))
def test_any_header_can_be_stored(value: str) -> None:
    clean_header(value).encode("utf-8")


@pytest.mark.parametrize(
    ("headers", "is_one"),
    [
        ({"origin": "https://shop.example"}, True),
        ({"origin": "null"}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-mode": "cors", "user-agent": "node"}, False),
        ({"user-agent": "Mozilla/5.0", "referer": "https://shop.example/"}, False),
        ({}, False),
    ],
)
def test_a_browser_is_known_by_what_pages_cannot_leave_out(headers: dict[str, str], is_one: bool) -> None:
    assert is_browser(request(headers)) is is_one


@pytest.mark.parametrize("mark", [{"origin": "https://shop.example"}, {"sec-fetch-site": "none"}])
def test_a_browsers_connection_is_the_visitors(mark: dict[str, str]) -> None:
    assert visitor(request({**mark, "user-agent": "UA"})) == {"ip": ADDRESS, "user_agent": "UA"}
    assert visitor(request({**mark, "user-agent": "\udcff"}, None)) == {"user_agent": "\ufffd"}
    assert visitor(request({**mark, "user-agent": ""})) == {"ip": ADDRESS}
    assert visitor(request(mark, None)) == {}


def test_a_servers_connection_is_nobodys() -> None:
    assert visitor(request({"user-agent": "node"})) == {}


def read(sent: object) -> str | None:
    """Return texts as ISO 8601, and numbers as milliseconds from 1973 on, else as seconds."""
    if isinstance(sent, str):
        return from_iso(sent)
    if isinstance(sent, int | float) and not isinstance(sent, bool):
        return from_millis(sent) if abs(sent) >= 10**11 else from_seconds(sent)
    return None


@pytest.mark.parametrize(
    ("sent", "timestamp", "original"),
    [
        (None, None, None),
        ("2024-03-01T00:00:00.000Z", "2024-03-01T00:00:00.000Z", None),
        ("2024-03-01", "2024-03-01T00:00:00.000Z", "2024-03-01"),
        (1709251200000, "2024-03-01T00:00:00.000Z", None),
        (1709251200000.0, "2024-03-01T00:00:00.000Z", None),
        (1709251200000.25, "2024-03-01T00:00:00.000250Z", 1709251200000.25),
        (-1709251200000, "1915-11-03T00:00:00.000Z", None),
        (1709251200, "2024-03-01T00:00:00.000Z", 1709251200),
        (0, "1970-01-01T00:00:00.000Z", 0),
        (10**30, None, 10**30),
        ("junk", None, "junk"),
        ("", None, ""),
        (True, None, True),
        ({"a": 1}, None, {"a": 1}),
        (["2024-03-01"], None, ["2024-03-01"]),
    ],
)
def test_a_time_is_kept_as_it_was_sent_unless_it_can_be_computed_back(
    sent: Any, timestamp: str | None, original: object
) -> None:
    assert time_or_original(sent, read, min_millis=10**11) == (timestamp, original)


def test_every_whole_number_is_in_milliseconds_unless_a_bound_is_given() -> None:
    assert time_or_original(0, read) == ("1970-01-01T00:00:00.000Z", None)
    assert time_or_original(0.5, read) == ("1970-01-01T00:00:00.500Z", 0.5)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (-7, "-7"),
        (0.0, "0"),
        (-0.0, "0"),
        (42.0, "42"),
        (-2.5, "-2.5"),
        (123456.789, "123456.789"),
        (1e20, "100000000000000000000"),
        (1.2345678901234568e20, "123456789012345680000"),
        (1e21, "1e+21"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (1e-6, "0.000001"),
        (1.5e-6, "0.0000015"),
        (1e-7, "1e-7"),
        (1.5e-7, "1.5e-7"),
        (5e-324, "5e-324"),
    ],
)
def test_a_number_is_spelled_as_javascript_spells_it(number: float, text: str) -> None:
    assert js_number(number) == text


@pytest.mark.parametrize(
    ("number", "text"), [(2**53 + 1, "9007199254740993"), (2**70, str(2**70)), (10**999, "1" + "0" * 999)]
)
def test_an_integer_is_written_exactly_however_long(number: int, text: str) -> None:
    assert js_number(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_spelled_number_is_that_number(number: float) -> None:
    assert math.isclose(float(js_number(number)), number, rel_tol=0, abs_tol=0)
