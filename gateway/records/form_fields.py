"""Redacts secrets in a body that is not JSON: a form, a multipart form, or free text. Pure.

Each expression is linear, as in json_strings.py.
"""

import functools
import re

from gateway.records import json_strings
from gateway.records.spellings import REDACTED, Secrets

# The headers of one part, up to the empty line behind them; a bound keeps each try short.
_PART_HEADERS = rb"[^\r\n]{0,500}+\r?+\n(?:[^\r\n]{1,500}+\r?+\n){0,8}+\r?+\n"
_PART_CONTENT = rb"[^\r\n]*+(?:\r?+\n(?!--)[^\r\n]*+)*+"


def hide(body: bytes, secrets: Secrets, fields: tuple[str, ...]) -> bytes:
    """Return a body with the values of fields and all secrets as `[redacted]`."""
    if secrets.too_many:
        return REDACTED.encode()
    if fields:
        pair, part = _named(fields)
        body = pair.sub(rb"\1" + REDACTED.encode(), body)
        body = part.sub(rb"\1" + REDACTED.encode(), body)
    pairs = [pair.partition("=") for pair in body.decode("utf-8", "surrogateescape").split("&")]
    hidden = iter(secrets.hide_all([text for name, _, value in pairs for text in (name, value)]))
    together = "&".join([f"{next(hidden)}{equals}{next(hidden)}" for _, equals, _ in pairs])
    # There may be JSON in it all the same, and with it secrets behind escapes.
    return json_strings.hide(together.encode("utf-8", "surrogateescape"), secrets, fields)


@functools.lru_cache(maxsize=64)
def _named(fields: tuple[str, ...]) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Return patterns that find the values of fields in a form and in a multipart form."""
    names = b"|".join([re.escape(field.encode()) for field in fields])
    pair = rb"((?:\A|&|(?<=\n))(?:%s)=)[^&\r\n]*+" % names
    part = rb'(name="?+(?:%s)"?+%s)%s' % (names, _PART_HEADERS, _PART_CONTENT)
    return re.compile(pair, re.IGNORECASE), re.compile(part, re.IGNORECASE)
