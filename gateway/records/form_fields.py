"""Redacts secrets in a body that is not JSON: a form, a multipart form, or free text. Pure."""

import re

from gateway.records import json_strings
from gateway.records.field_places import ends_of
from gateway.records.spellings import REDACTED, Secrets

_REDACTED = REDACTED.encode()
_PAIR = re.compile(rb"([^&\r\n]*+)")
# The headers of one part up to the empty line behind them, then its content. The bounds keep each try short.
_HEADERS = rb"[^\r\n]{0,500}+\r?+\n(?:[^\r\n]{1,500}+\r?+\n){0,8}+\r?+\n"
_PART = re.compile(rb'(?<=")%s([^\r\n]*+(?:\r?+\n(?!--)[^\r\n]*+)*+)' % _HEADERS)


def hide(body: bytes, secrets: Secrets, fields: tuple[str, ...]) -> bytes:
    """Return a body with the values of fields and all secrets as `[redacted]`."""
    if secrets.too_many:
        return _REDACTED
    names = {field.lower().encode() for field in fields}
    starts = [before + name + b"=" for name in names for before in (b"&", b"\n")]
    body = _without(_PAIR, starts, b"&" + body)[1:]
    body = _without(_PART, [b'name="%s"' % name for name in names], body)
    pairs = [pair.partition("=") for pair in body.decode("utf-8", "surrogateescape").split("&")]
    hidden = iter(secrets.hide_all([text for name, _, value in pairs for text in (name, value)]))
    together = "&".join([f"{next(hidden)}{equals}{next(hidden)}" for _, equals, _ in pairs])
    # There may be JSON in it all the same, and with it secrets behind escapes.
    return json_strings.hide(together.encode("utf-8", "surrogateescape"), secrets, fields)


def _without(value: re.Pattern[bytes], names: list[bytes], body: bytes) -> bytes:
    """Return a body with the values behind some names redacted; they are the first group of an expression."""
    parts, done = [], 0
    for end in ends_of(names, body.lower()):
        found = value.match(body, end) if end >= done else None
        if found is not None:
            parts += [body[done : found.start(1)], _REDACTED]
            done = found.end()
    return b"".join([*parts, body[done:]]) if parts else body
