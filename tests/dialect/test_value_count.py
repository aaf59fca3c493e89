"""The values of a JSON text are counted without decoding it, and a text of too many is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialect import MAX_VALUES, Reason, Refusal, decode
from gateway.dialect import value_count as counted
from tests.property.values import VALUES

AWKWARD = st.sampled_from(['",[{', "\\", '\\"', "[]", "{ }", '"', "\\\\", ",", ""])
TREES = st.recursive(
    VALUES | AWKWARD,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3) | AWKWARD, inner, max_size=4),
    max_leaves=20,
)


def values_in(value: object) -> int:
    if isinstance(value, dict):
        return 1 + sum(values_in(each) for each in value.values())
    return 1 + sum(values_in(each) for each in value) if isinstance(value, list) else 1


@given(
    value=TREES, indent=st.sampled_from([None, 1]), chunk=st.sampled_from([1, 2, 3, 7, 1 << 16]), escaped=st.booleans()
)
def test_the_count_is_exact_whatever_stands_in_strings(
    value: object, indent: int | None, chunk: int, escaped: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    count = values_in(value)
    assert counted.has_more_values(text, count - 1, chunk)
    assert not counted.has_more_values(text, count, chunk)


@pytest.mark.parametrize(
    "unit",
    [b"0", b"[]", b"{ }", b'""', b'"\\""', b'",[{"'],
    ids=["numbers", "arrays", "objects", "texts", "quotes", "marks"],
)
def test_a_body_may_have_as_many_values_as_the_bound_and_not_one_more(unit: bytes) -> None:
    most = b"[%s]" % b",".join([unit] * (MAX_VALUES - 1))
    assert len(decode(most)) == MAX_VALUES - 1  # type: ignore[arg-type]  # it is a list
    with pytest.raises(Refusal) as refused:
        decode(b"[0," + most[1:])
    assert (refused.value.reason, refused.value.detail) == (Reason.TOO_LARGE, {"most_values": MAX_VALUES})


def test_marks_inside_strings_are_no_values() -> None:
    text = ",[{" * MAX_VALUES
    assert decode(json.dumps([text, text]).encode()) == [text, text]


def test_brackets_that_never_close_are_values_too() -> None:
    with pytest.raises(Refusal):
        decode(b"[" * (MAX_VALUES + 1))
