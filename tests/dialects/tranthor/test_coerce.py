"""Scalars as upstream's validator coerces them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.tranthor.coerce import text, truth
from gateway.dialect.decode import Unkept


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("", ""),
        (None, ""),
        (True, "true"),
        (False, "false"),
        (10**999, "1" + "0" * 999),
        (-7, "-7"),
        (0.0, "0"),
        (-0.0, "0"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (5e-324, "5e-324"),
        (1.5e-6, "0.0000015"),
        (1.5e-7, "1.5e-7"),
        (123456.789, "123456.789"),
        (["x"], "x"),
        ([None], ""),
        ([], None),
        (["a", "b"], None),
        ([["a"]], None),
        ({}, None),
        (Unkept("number_too_large", "1e400"), None),
        ([Unkept("number_too_large", "1e400")], None),
    ],
)
def test_a_value_becomes_the_string_that_upstream_makes_of_it(sent: object, kept: str | None) -> None:
    assert text(sent) == kept


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_spelled_number_is_that_number(number: float) -> None:
    spelled = text(number)
    assert spelled is not None
    assert math.isclose(float(spelled), number, rel_tol=0, abs_tol=0)


@pytest.mark.parametrize("sent", [False, "false", 0, 0.0, [False], ["false"], [0]])
def test_assigned_is_false_in_every_form_of_it(sent: object) -> None:
    assert truth(sent) is False


@pytest.mark.parametrize("sent", [True, "true", 1, None, [True], [None]])
def test_assigned_is_true_otherwise(sent: object) -> None:
    assert truth(sent) is True
