"""How a query becomes an event, beyond what the corpus shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.databuddy.pixel import unflatten


@pytest.mark.parametrize(
    ("query", "payload"),
    [
        ({"name": "5", "n": "5", "f": "1.50", "t": "true"}, {"name": "5", "n": 5, "f": 1.5, "t": True}),
        ({"a[b][c]": "1", "a[d]": "x"}, {"a": {"b": {"c": 1}, "d": "x"}}),
        ({"a[b]": "1", "a[b][c]": "2"}, {"a": {"b": 1}, "a[b][c]": "2"}),
        ({"a[b]": "1", "a": "2"}, {"a": 2, "a[b]": "1"}),
        ({"name[x]": "1", "[x]": "1", "a[": "1"}, {"name[x]": 1, "[x]": 1, "a[": 1}),
        (
            {"o": '{"a":1}', "l": "[1]", "bad": "{", "type": "track", "client_id": "s"},
            {"o": {"a": 1}, "l": [1], "bad": "{"},
        ),
        ({"o": '{"a":"x\ud83d"}', "title": "\ud83d"}, {"o": {"a": "x\ud83d"}, "title": "\ud83d"}),
        ({"n": "9" * 16, "f": "9" * 400 + ".0"}, {"n": "9" * 16, "f": "9" * 400 + ".0"}),
    ],
)
def test_a_query_is_unflattened(query: dict[str, str], payload: dict[str, object]) -> None:
    assert unflatten(query) == payload


@given(st.dictionaries(st.text(alphabet='ab[]{}1.-"', max_size=8), st.text(alphabet='{}[]1.-"a:,', max_size=8)))
def test_any_query_is_unflattened(query: dict[str, str]) -> None:
    unflatten(query)
