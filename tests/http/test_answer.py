"""Answers as the bytes that go out."""

import pytest

from gateway.dialect.message import Response
from gateway.http.answer import serialize

CORS = "Vary: Origin\r\n"
DATE = b"Date: Fri, 02 Jan 2026 03:04:05 GMT\r\n\r\n"
SECONDS = 1767323045


def test_a_body_comes_with_its_type_and_length() -> None:
    sent = serialize(Response(200, b'{"a":1}', headers={"X-Of-Ours": "1"}), CORS, SECONDS, keep_alive=True)
    assert sent == (
        b"HTTP/1.1 200 OK\r\nVary: Origin\r\nX-Of-Ours: 1\r\n"
        b"Content-Type: application/json\r\nContent-Length: 7\r\n" + DATE + b'{"a":1}'
    )


@pytest.mark.parametrize(
    ("status", "line", "length"),
    [(204, b"204 No Content", b""), (404, b"404 Not Found", b"Content-Length: 0\r\n")],
)
def test_without_a_body_there_is_no_type(status: int, line: bytes, length: bytes) -> None:
    sent = serialize(Response(status), CORS, SECONDS, keep_alive=False)
    assert sent == b"HTTP/1.1 " + line + b"\r\nVary: Origin\r\n" + b"Connection: close\r\n" + length + DATE


def test_a_head_alone_says_the_length_of_the_body_it_does_not_send() -> None:
    sent = serialize(Response(200, b"body", "text/plain"), "", SECONDS, keep_alive=True, is_1_0=True, with_body=False)
    assert (
        sent == b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n" + DATE
    )


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "a\nb", "a\rb"])
def test_a_value_that_would_end_its_line_is_not_sent(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        serialize(Response(200, b"", headers={"X": value}), CORS, SECONDS, keep_alive=True)
