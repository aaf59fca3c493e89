"""Scalars as upstream's validator coerces them. How numbers are spelled is in tests/dialect/test_toolkit.py."""

import pytest

from dialects.tranthor.coerce import is_assigned, text
from gateway.dialect import Unkept


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("", ""),
        (None, ""),
        (True, "true"),
        (False, "false"),
        (10**999, "1" + "0" * 999),
        (1.5e-7, "1.5e-7"),
        (["x"], "x"),
        ([1.5e-7], "1.5e-7"),
        ([None], ""),
        ([], None),
        (["a", "b"], None),
        ([["a"]], None),
        ({}, None),
        (Unkept("integer_too_long", "9"), None),
        ([Unkept("integer_too_long", "9")], None),
    ],
)
def test_a_value_becomes_the_string_that_upstream_makes_of_it(sent: object, kept: str | None) -> None:
    assert text(sent) == kept


@pytest.mark.parametrize("sent", [False, "false", 0, 0.0, [False], ["false"], [0]])
def test_assigned_is_false_in_every_form_of_it(sent: object) -> None:
    assert is_assigned(sent) is False


@pytest.mark.parametrize("sent", [True, "true", 1, None, [True], [None]])
def test_assigned_is_true_otherwise(sent: object) -> None:
    assert is_assigned(sent) is True
