"""Numbers as JavaScript spells them. The expected spellings are those of `String(number)` in Node."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialect import js_number


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
