"""What is wrong with an answer, whatever it answers."""

import pytest

from gateway.dialect import Response
from gateway.testing.trial.wellformed import flaw_of


@pytest.mark.parametrize(
    "response",
    [
        Response(204),
        Response(200, b'{"a":1}', "application/json; charset=utf-8"),
        Response(404, b"caf\xe9", "text/plain; charset=latin-1"),
        Response(200, b"GIF89a\xff", "image/gif", {"Cache-Control": "no-store", "Retry-After": "5"}),
        Response(204, headers={"X-Kit": "caf\u00e9 \udcff\t"}),
    ],
)
def test_an_answer_that_agrees_with_itself_has_no_flaw(response: Response) -> None:
    assert flaw_of(response) is None


@pytest.mark.parametrize(
    ("response", "flaw"),
    [
        (Response(299), "the status 299, which HTTP does not have"),
        (Response(100), "the status 100, which HTTP does not have"),
        (Response(204, b""), "a body, which a 204 cannot have (None is no body)"),
        (Response(200, b""), "a body that is no application/json: "),
        (Response(200, b"{'a'}"), "a body that is no application/json: {'a'}"),
        (Response(200, b"\xff", "text/html; charset=utf-8"), "a body that is no text/html: \\xff"),
        (Response(200, b"a", "text/html; charset=kit"), "a character set that does not exist: text/html; charset=kit"),
        (Response(200, "a"), "a body of str, not of bytes"),  # type: ignore[arg-type]  # as a stranger might
        (Response(200, headers={"X-Kit": "a\r\nb"}), "the header 'X-Kit': 'a\\r\\nb', which cannot be sent"),
        (Response(200, headers={"X-Kit": "a\0"}), "the header 'X-Kit': 'a\\x00', which cannot be sent"),
        (Response(200, headers={"X-Kit": "\ud83d"}), "the header 'X-Kit': '\\ud83d', which cannot be sent"),
        (Response(200, b"", "a/b\r\nX: 1"), "the content_type 'a/b\\r\\nX: 1', which cannot be sent"),
        (Response(200, headers={"X Kit": "a"}), "the header 'X Kit': 'a', which cannot be sent"),
        (
            Response(200, headers={"Content-Type": "a/b"}),
            "the header Content-Type, which the gateway writes itself (a body's kind is `content_type`)",
        ),
    ],
)
def test_an_answer_that_cannot_be_sent_or_read_has_one(response: Response, flaw: str) -> None:
    assert flaw_of(response) == flaw
