"""An answer as the bytes that go out: status line, headers, body, in one piece. Pure; the date is an argument."""

import functools
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus

from gateway.message import Response

_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_NO_LENGTH = (204, 304)


def serialize(
    response: Response, cors: Mapping[str, str], seconds: int, connection: str | None, with_body: bool = True
) -> bytes:
    """Return a response as HTTP/1.1; `connection` is the header of that name, where one is needed.

    Raises ValueError on a header that would end its line.
    """
    named = {**cors, **response.headers}
    body = response.body
    if body is not None:
        named["Content-Type"] = response.content_type
        named["Content-Length"] = str(len(body))
    elif response.status not in _NO_LENGTH:
        named["Content-Length"] = "0"
    if connection is not None:
        named["Connection"] = connection
    lines = "\r\n".join([f"{name}: {value}" for name, value in named.items()])
    if lines.count("\n") != len(named) - 1 or lines.count("\r") != len(named) - 1:
        raise ValueError("a header's value has a line break")
    head = f"{_LINES[response.status]}{lines}\r\n{_date(seconds)}".encode("utf-8", "surrogateescape")
    return head + body if body is not None and with_body else head


@functools.lru_cache(maxsize=16)
def _date(seconds: int) -> str:
    return f"Date: {formatdate(seconds, usegmt=True)}\r\n\r\n"
