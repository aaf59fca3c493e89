"""Half of a surrogate pair becomes U+FFFD, each place is named, and nothing else is touched."""

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialect import flaws
from gateway.dialect.mend import MAX_MENDED, MAX_PLACES, MORE, Mended, marked, mend, place_in

TEXTS = st.text(st.characters(codec="utf-8") | st.sampled_from(["\ud83d", "\ude00", "\udfff"]), max_size=4)
VALUES = st.recursive(
    st.none() | st.integers(-9, 9) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


def test_texts_and_keys_are_mended_at_any_depth() -> None:
    sent = {"a": [1, "ab \ud83d"], "k\ude00": {"b": "\udfff\ud83d"}, "c": "\U0001f600"}
    assert mend(sent) == Mended(
        {"a": [1, "ab \ufffd"], "k\ufffd": {"b": "\ufffd\ufffd"}, "c": "\U0001f600"},
        ("/a/1", "/k\ufffd", "/k\ufffd/b"),
        ("ab \ud83d", "k\ude00", "\udfff\ud83d"),
    )


def test_what_is_whole_is_shared_and_the_given_value_stays() -> None:
    whole: Any = {"x": ["é", {"y": 1}]}
    sent: Any = {"whole": whole, "cut": "\ud83d"}
    found: Any = mend(sent).value
    assert found["whole"] is whole
    assert sent == {"whole": whole, "cut": "\ud83d"}
    assert mend(whole) == Mended(whole, (), ())


def test_two_keys_that_would_become_one_stay_as_they_are() -> None:
    one, other, mended = "a\ud83d", "a\ud83e", "a\ufffd"
    sent = {one: "\ud83d", other: "x"}
    found = mend(sent)
    assert found.value == {one: "\ufffd", other: "x"}
    assert [fault.code for fault in flaws(found.value)] == ["lone_surrogate", "lone_surrogate"]
    beside = {one: 1, mended: 2}
    assert mend(beside).value == beside


def test_the_places_named_are_bounded() -> None:
    found = mend(["\ud83d"] * 100)
    assert found.value == ["\ufffd"] * 100
    assert found.places == (*[f"/{index}" for index in range(MAX_PLACES)], MORE)


def test_a_value_with_too_many_places_is_left_alone() -> None:
    sent = ["\ud83d"] * (MAX_MENDED + 1)
    assert mend(sent) == Mended(sent, (), ())
    assert mend(sent[1:]).value == ["\ufffd"] * MAX_MENDED


def test_a_text_says_by_its_marks_where_it_comes_from() -> None:
    sent = {"a": "x\ud83d", "b": ["x\ud83e", "x\ufffd"]}
    found, with_marks = mend(sent), marked(sent)
    value, other = found.value, with_marks
    assert isinstance(value, dict)
    assert isinstance(other, dict)
    assert place_in(value["a"], other["a"], found.places) == "/a"
    assert place_in(value["b"][0], other["b"][0], found.places) == "/b/0"
    assert value["b"][1] == other["b"][1]


@given(VALUES)
def test_whatever_is_mended_can_be_stored_unless_keys_would_fall_together(sent: Any) -> None:
    found = mend(sent)
    if flaws(found.value):
        return
    orjson.dumps(found.value)
    assert (found.value is sent) == (found.places == ())
    assert (flaws(sent) == ()) == (found.places == ())
