"""The JSON of clients: what is read exactly, what refuses the body, and what is left for `flaws`."""

import pytest

from gateway.dialect import Fault, Undecodable, Unkept, decode
from gateway.dialect.decode import rewrite


def fault_of(body: bytes) -> Fault:
    with pytest.raises(Undecodable) as refused:
        decode(body)
    return refused.value.fault


@pytest.mark.parametrize(
    ("number", "offset"),
    [
        (b"1e400", 6),
        (b"-1E+400", 6),
        (b"1e0400", 6),
        (b"%se9" % (b"9" * 305), 6),
        (b"%s.5" % (b"9" * 310), 6),
        (b'"\\ud83d",1e309', 15),
        (b"%s,1e309" % (b"9" * 22), 29),
    ],
)
def test_a_number_beyond_a_double_refuses_the_body(number: bytes, offset: int) -> None:
    found = fault_of(b'{"a":[%s]}' % number)
    assert found == Fault("malformed", detail={"problem": "Number too large", "offset": offset})


@pytest.mark.parametrize("name", [b"NaN", b"Infinity", b"-Infinity"])
def test_what_only_python_takes_for_a_number_refuses_the_body(name: bytes) -> None:
    assert fault_of(b'{"a":%s}' % name) == Fault("malformed", detail={"problem": "Expecting value", "offset": 5})


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"[1e308]", [1e308]),
        (b'["e000",1.5]', ["e000", 1.5]),
        (b'["e0001",%s]' % (b"9" * 22), ["e0001", int("9" * 22)]),
        (b"[%s]" % (b"9" * 400), [int("9" * 400)]),
        (b"[-%s,1.5]" % (b"9" * 1000), [-int("9" * 1000), 1.5]),
        (b"[0.%s]" % (b"1" * 3000), [0.1111111111111111]),
        (b'\xef\xbb\xbf["a"]', ["a"]),
        (b'["\\ud83d\\ude00","\\ud83d"]', ["\U0001f600", "\ud83d"]),
    ],
)
def test_everything_else_is_read_exactly(body: bytes, expected: object) -> None:
    assert decode(body) == expected


@pytest.mark.parametrize("digits", [1001, 4300, 4301, 100_000])
def test_an_integer_of_too_many_digits_is_a_mark(digits: int) -> None:
    text = "9" * digits
    assert decode(f"[{text},7,0.5]".encode()) == [Unkept("integer_too_long", text), 7, 0.5]
    assert rewrite(decode(f"[{text}]".encode())) == f'["{text}"]'.encode()


def test_infinity_is_found_at_any_depth() -> None:
    body = b'{"a":' * 100 + b'[[{"b":[0,-1e999]}]]' + b"}" * 100
    assert fault_of(body).code == "malformed"
