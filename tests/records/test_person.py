"""Whose an event is, and where else the person's id stands."""

import json
from typing import Any
from urllib.parse import quote, quote_plus

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.records.person import ERASED, Person


def person(identifier: str = "u-1", kind: Any = "user_id") -> Person:
    return Person(project="shop", kind=kind, id=identifier)


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("user_id", {"user_id": "u-1"}, True),
        ("user_id", {"previous_id": "u-1", "user_id": "x"}, True),
        ("user_id", {"anonymous_id": "u-1"}, False),
        ("user_id", {"user_id": "u-10"}, False),
        ("user_id", {"group_id": "u-1", "user_id": None}, False),
        ("anonymous_id", {"anonymous_id": "u-1"}, True),
        ("anonymous_id", {"previous_id": "u-1"}, True),
        ("anonymous_id", {"user_id": "u-1"}, False),
    ],
)
def test_an_event_is_the_persons_by_one_kind_of_id_or_by_what_it_was_before(
    kind: str, fields: dict[str, object], expected: bool
) -> None:
    assert person(kind=kind).owns({"project": "shop", **fields}) is expected
    assert person(kind=kind).owns({"project": "blog", **fields}) is False


def test_a_mention_is_replaced_and_numbers_stay_to_the_last_digit() -> None:
    line = (
        b'{"project":"shop","type":"42","name":"42","message_id":"m","timestamp":"42","group_id":"42",'
        b'"properties":{"price":42,"ownerId":42,"user_ids":[42,7],"b":"42","42":[420,42.0,"x42"],'
        b'"long":12345678901234567890123.50,"same":1e2}}'
    )
    assert person("42").without_mentions(line) == (
        b'{"project":"shop","type":"42","name":"[erased]","message_id":"m","timestamp":"42","group_id":"[erased]",'
        b'"properties":{"price":42,"ownerId":"[erased]","user_ids":["[erased]",7],"b":"[erased]",'
        b'"[erased]":[420,42.0,"x42"],'
        b'"long":12345678901234567890123.50,"same":1e2}}',
        True,
    )
    assert person("absent").without_mentions(line) == (line, False)


@given(identifier=st.text(min_size=1, max_size=20), other=st.text(max_size=20))
def test_no_spelling_of_an_id_is_missed_and_nothing_else_is_changed(identifier: str, other: str) -> None:
    searched = person(identifier)
    one, two, three = (name * 21 for name in "abc")  # longer than any id here: names that are the id are erased too
    event = {
        "project": "shop",
        "user_id": "bob",
        "properties": {one: identifier, two: other, three: [other, None, True]},
    }
    for line in (orjson.dumps(event), json.dumps(event, separators=(",", ":")).encode()):
        assert searched.may_be_in(line)
        assert json.loads(searched.without_mentions(line)[0])["properties"] == {
            one: ERASED,
            two: ERASED if other == identifier else other,
            three: [ERASED if other == identifier else other, None, True],
        }
    for raw in (
        b'{"u":%b}' % orjson.dumps(identifier),
        json.dumps({"u": identifier}).encode(),
        f"a=b&u={quote(identifier, safe='')}&x=1".encode(),
        f"u={quote_plus(identifier)}".encode(),
        orjson.dumps({"inner": json.dumps({"u": identifier}, ensure_ascii=False)}),
    ):
        assert searched.found_in(raw), raw


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"/users/u-1/profile", True),
        (b"u-1", True),
        (b"u-10", False),
        (b"au-1", False),
        (b"x=%22u-1%22", True),
        (b"%C3%A9u-1,", True),
        (b"u-1@example.org", False),
        (b"dS0x", False),
        (rb'{"u":"\u0075\u002d1"}', True),
        (rb'{"j":"{\"u\":\"u\\u002D1\"}"}', True),
        (b"u=%75%2d1", True),
        (b"", False),
    ],
)
def test_in_a_request_the_id_is_a_word_of_its_own(raw: bytes, expected: bool) -> None:
    assert person().found_in(raw) is expected
