"""What cannot be stored is found lazily: a few places, each with a pointer that can be stored, in no time."""

from itertools import islice
from typing import Any

import pytest

from gateway.dialect import Fault, Unkept, flaws
from gateway.dialect.flaws import MAX_DEPTH, MAX_FLAWS, MAX_POINTER, pointer

TOO_LONG = Unkept("integer_too_long", "9")


def nested(depth: int) -> object:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [1, "x", None, True, {}, [], "é"]}, ()),
        ("\ud800", (Fault("lone_surrogate"),)),
        ({"a": ["ok", "\ud83d"]}, (Fault("lone_surrogate", "/a/1"),)),
        ({"a/b": {"~": TOO_LONG}}, (Fault("integer_too_long", "/a~1b/~0"),)),
        ({"k\ud83d": 1}, (Fault("lone_surrogate", "/k\ufffd"),)),
        ({"k\ud83d": [TOO_LONG]}, (Fault("lone_surrogate", "/k\ufffd"), Fault("integer_too_long", "/k\ufffd/0"))),
        ({"a": TOO_LONG, "b": "\udc00"}, (Fault("integer_too_long", "/a"), Fault("lone_surrogate", "/b"))),
        (nested(MAX_DEPTH), ()),
        (nested(MAX_DEPTH + 1), (Fault("too_deep", detail={"limit": MAX_DEPTH}),)),
    ],
)
def test_each_flaw_is_told_with_its_place(value: object, expected: tuple[Fault, ...]) -> None:
    assert flaws(value) == expected


def test_of_very_many_flaws_the_first_few_are_told() -> None:
    assert flaws(["\ud800"] * 200_000) == tuple([Fault("lone_surrogate", f"/{index}") for index in range(MAX_FLAWS)])
    assert flaws(["\ud800"] * 200_000, 1) == (Fault("lone_surrogate", "/0"),)


def test_a_pointer_is_cut_whatever_the_keys() -> None:
    [fault] = flaws({"k" * 1_000_000: "\ud800"})
    assert fault.pointer == f"/{'k' * (MAX_POINTER - 1)}..."
    assert pointer(islice(iter(lambda: "a", None), 10**9)) == f"{'/a' * (MAX_POINTER // 2)}..."
