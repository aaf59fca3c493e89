"""The switch `coerce_ids`: numeric ids become strings, and nothing else does."""

import pytest

from dialects.appizer.coerce import coerced
from gateway.dialect import Unkept


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (-7, "-7"),
        (42.0, "42"),
        (-0.5, "-0.5"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.5e-7, "1.5e-7"),
        (2**70, str(2**70)),
    ],
)
def test_a_number_becomes_the_text_that_javascript_writes(number: float, text: str) -> None:
    assert coerced({"user_id": number, "event_name": number}) == {"user_id": text, "event_name": number}


@pytest.mark.parametrize("value", [True, None, "42", [42], {"a": 1}, Unkept("integer_too_long", "9")])
def test_what_is_not_a_number_is_not_coerced(value: object) -> None:
    payload = {"user_id": value}
    assert coerced(payload) is payload
