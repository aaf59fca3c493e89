"""An answer as the bytes that go out: status line, headers, body, in one piece. Pure; the date is an argument."""

import functools
from email.utils import formatdate
from http import HTTPStatus

from gateway.dialect.message import Response

KEEP, KEEP_1_0, CLOSE = "", "Connection: keep-alive\r\n", "Connection: close\r\n"
"""What an answer says of its connection; in HTTP/1.1 silence keeps it."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_NO_LENGTH = (204, 304)


def serialize(response: Response, common: str, connection: str, seconds: int, with_body: bool = True) -> bytes:
    """Return a response as HTTP/1.1; `common` are header lines, each with its end, that every answer has.

    Raises ValueError on a header of the response's own that would end its line.
    """
    lines = _LINES[response.status] + common + connection
    for name, value in response.headers.items():
        if "\n" in value or "\r" in value:
            raise ValueError("a header's value has a line break")
        lines += f"{name}: {value}\r\n"
    body = response.body
    if body is None:
        length = "" if response.status in _NO_LENGTH else "Content-Length: 0\r\n"
        return f"{lines}{length}{_date(seconds)}".encode("utf-8", "surrogateescape")
    lines = f"{lines}Content-Type: {response.content_type}\r\nContent-Length: {len(body)}\r\n{_date(seconds)}"
    head = lines.encode("utf-8", "surrogateescape")
    return head + body if with_body else head


@functools.lru_cache(maxsize=16)
def _date(seconds: int) -> str:
    return f"Date: {formatdate(seconds, usegmt=True)}\r\n\r\n"
