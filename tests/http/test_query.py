"""A query's parameters, as the standard library reads them."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialect.flaws import whole
from gateway.http.query import parse_query


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("", {}),
        ("&&", {}),
        ("a", {"a": ""}),
        ("a=", {"a": ""}),
        ("=b", {"": "b"}),
        ("a=1&a=2", {"a": "1"}),
        ("a=b=c", {"a": "b=c"}),
        ("a;b=1", {"a;b": "1"}),
        ("x+y=1+2", {"x y": "1 2"}),
        ("a%3Db=%26%3d&%61=2", {"a=b": "&=", "a": "2"}),
        ("a=%ff&b=%zz&c=%", {"a": "\udcff", "b": "%zz", "c": "%"}),
        ("a=x%ED%A0%BD&b=%F0%9F%98%80", {"a": "x\ud83d", "b": "\U0001f600"}),
        ("a=%ED%A0%BD%E9", {"a": "\udced\udca0\udcbd\udce9"}),
        ("%ED%A0%BD=1", {"\ud83d": "1"}),
        ("a=%2B", {"a": "+"}),
    ],
)
def test_a_query_is_read_as_forms_are(text: str, parameters: dict[str, str]) -> None:
    assert parse_query(text) == parameters


@given(st.text(st.one_of(st.sampled_from("&=+%;ab0123fF"), st.characters())))
def test_it_reads_what_the_standard_library_reads(text: str) -> None:
    expected: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, errors="surrogateescape"):
        expected.setdefault(whole(name), whole(value))
    assert {whole(name): whole(value) for name, value in reversed(parse_query(text).items())} == expected
