"""The digest of a move: the same for the same values, however they are spelled, and for no others."""

import itertools

import pytest

from gateway.operate.moving.digest import canonical

SAME = [
    (b"1e2", b"100", b"1.0e2", b"100.0"),
    (b"-0.0", b"0", b"-0", b"0.0"),
    (b"1.50", b"1.5", b"15e-1"),
    (b"0.00001", b"1e-5"),
    (b"1e22", b"10000000000000000000000"),
    (b"123456789012345678901", b"123456789012345678901.0"),
    (b"1e15", b"1000000000000000"),
    (b"999999999999999",),
    (b"0.1", b"0.10"),
    (b"0.12345678901234567", b"0.123456789012345670"),
    (b"0.12345678901234568",),
    (b"5e-324", b"0." + b"0" * 323 + b"5"),
    (b"1e-15", b"0.000000000000001"),
    (b'"1e2"',),
    (b'"\\u00fc"', '"ü"'.encode()),
    (b"[1, 2]", b"[1,2]"),
    (b'{"a":1,"b":2}', b'{"b": 2, "a": 1}'),
]


@pytest.mark.parametrize("around", [b'{"a":%b}', b'{"b": 1, "a": %b}', b'{"a":["x",%b]}', b'{"a": ["x, 1.0", %b, 3]}'])
def test_values_have_one_spelling_each(around: bytes) -> None:
    found = [{canonical(around % spelling) for spelling in spellings} for spellings in SAME]
    assert [len(each) for each in found] == [1] * len(SAME)
    assert len(set(itertools.chain(*found))) == len(SAME)
