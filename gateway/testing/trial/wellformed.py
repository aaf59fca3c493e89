"""Whether an answer is one that can be sent, and is what it says it is. Pure."""

import json
import re
from email.message import Message
from http import HTTPStatus

from gateway.dialect import Response

WITHOUT_BODY = (204, 205, 304)
OURS = ("content-length", "content-type", "transfer-encoding", "connection", "keep-alive", "date", "vary")
"""Headers that the gateway writes; so it does all that begin with `access-control-`."""
_STATUSES = frozenset(status.value for status in HTTPStatus)
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
REMEDY = "return a Response whose status, headers, `content_type` and body agree, as HTTP has them"


def flaw_of(response: Response) -> str | None:
    """Return what is wrong with an answer whatever it answers, as `a body that is no JSON`; None if it is well."""
    if not isinstance(response, Response):
        return f"{type(response).__name__}, which is no Response"
    if response.status not in _STATUSES or response.status < 200:
        return f"the status {response.status!r}, which HTTP does not have"
    return unsendable(response) or _flaw_of_headers(response) or _flaw_of_body(response)


def unsendable(response: Response) -> str | None:
    """Return which header of an answer cannot be sent; None if all can."""
    if not _can_be_sent(response.content_type):
        return f"the content_type {response.content_type!a}, which cannot be sent"
    for name, value in response.headers.items():
        if not _can_be_sent(value) or not _TOKEN.fullmatch(name):
            return f"the header {name!a}: {value!a}, which cannot be sent"
    return None


def _flaw_of_headers(response: Response) -> str | None:
    for name in response.headers:
        if name.lower() in OURS or name.lower().startswith("access-control-"):
            return f"the header {name}, which the gateway writes itself (a body's kind is `content_type`)"
    return None


def _can_be_sent(value: object) -> bool:
    """Return whether a text can be a header's value: bytes that are no UTF-8 can, a line break or half an emoji not."""
    if not isinstance(value, str) or _CONTROL.search(value):
        return False
    try:
        value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _flaw_of_body(response: Response) -> str | None:
    body, kind = response.body, Message()
    if body is None:
        return None
    if response.status in WITHOUT_BODY:
        return f"a body, which a {response.status} cannot have (None is no body)"
    if not isinstance(body, bytes):
        return f"a body of {type(body).__name__}, not of bytes"
    kind["Content-Type"] = response.content_type
    named = kind.get_content_type()
    try:
        if named == "application/json" or named.endswith("+json"):
            json.loads(body)
        elif named.startswith("text/"):
            body.decode(kind.get_content_charset() or "utf-8")
    except ValueError:
        return f"a body that is no {named}: {ascii(body)[2:-1][:200]}"
    except LookupError:
        return f"a character set that does not exist: {response.content_type}"
    return None
