"""Redacts secrets inside the strings of a JSON text, and leaves every other byte as it is. Pure.

A text need not be JSON: it may be cut off, or broken. Each expression here is linear: it has no alternatives to go back
to, whatever a client sends.
"""

import functools
import json
import re
from collections.abc import Iterator

import orjson

from gateway.records.field_places import ends_of
from gateway.records.spellings import REDACTED, Secrets, unquoted

MAX_NESTING = 4
"""How many levels of JSON within strings of JSON are undone."""
MAX_COMPARISONS = 2_000_000
"""Beyond so many strings times spellings the whole text is redacted; a comparison takes 50 ns."""
# From a quote to the next that is not escaped, or to the end of a text that was cut off, even after a backslash.
_STRING = rb'"[^"\\]*+(?:\\[\s\S][^"\\]*+)*+(?:"|\\?+\Z)'
_VALUE = re.compile(rb"(?<=\")\s*+:[\s\[]*+(%s)" % _STRING)
_NEXT_IN_ARRAY = re.compile(rb"(?<=\")\s*+,[\s\[]*+(%s)(?!\s*+:)" % _STRING)
_OPENING = re.compile(rb"[\s\[]*+")
_TOKEN = re.compile(rb"(%s)(\s*+:\s*+)?+" % _STRING)
_BAD_ESCAPE = re.compile(r"\\(?:U|u(?![0-9a-fA-F]{4}))")
_BLANK = b'"%s"' % REDACTED.encode()
_DECODER = json.JSONDecoder(strict=False)
# All that JSON consists of outside its strings: a secret of these characters alone may be a number or a literal.
_STRUCTURE = frozenset(b"{}[],: \t\r\n0123456789+-.eEtrufalsn")
_STARTS_OF_OTHERS = tuple([b"%c" % byte for byte in b"-0123456789tfn"])
_PLAIN_ESCAPES = (
    *(("\\\\", "\\u005c"), ("\\/", "/"), ('\\"', '"')),
    *(("\\n", "\n"), ("\\t", "\t"), ("\\r", "\r"), ("\\b", "\b"), ("\\f", "\f")),
)
"""Escapes and what they stand for. First those of backslashes themselves, or `\\\\n` would be a line feed."""


@functools.lru_cache(maxsize=64)
def _ends_of_names(fields: tuple[str, ...]) -> tuple[str, ...]:
    """Return what the fields end a text with, in lower case.

    Each one has its own: a field in whose name a character is escaped may end like a shorter one that is not escaped.
    """
    names = {field.lower() for field in fields}
    return tuple([f"{name}{end}" for name in sorted(names) for end in ('"', "\\")])


def is_json(text: bytes) -> bool:
    """Return whether a text is JSON, or would be if it were not cut off or broken, rather than a form or free text."""
    start = text[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    return start in (b"{", b"[", b'"') or (start in _STARTS_OF_OTHERS and is_well_formed(text))


def hide(text: bytes, secrets: Secrets, fields: tuple[str, ...], levels: int = MAX_NESTING) -> bytes:
    """Return a JSON text with the values of fields, and secrets wherever they are in a string, as `[redacted]`.

    Numbers, literals and the structure stay. Of a text that is not JSON no secret stays outside of strings either.
    `levels` is how many levels of JSON in its strings are redacted too.
    """
    if secrets.too_many:
        return _BLANK
    text = _without_values_of(fields, text)
    spellings = [spelling.encode("utf-8", "surrogatepass") for spelling in secrets.spellings]
    found = [spelling for spelling in spellings if spelling in text]
    if found and b"\\" not in text and not any(b'"' in each or _STRUCTURE.issuperset(each) for each in found):
        text = _replaced(text, found)  # it can only be inside strings
    if any(spelling in text for spelling in found) or _is_disguised(text, secrets, fields):
        text = _Strings(text, secrets, fields, levels).hidden()
        if not is_well_formed(text):
            text = _replaced(text, found)
            text = _BLANK if _is_disguised(text, secrets, ()) else text
    return text


def _without_values_of(fields: tuple[str, ...], text: bytes) -> bytes:
    """Return a text with the strings redacted that are the values of fields, in whatever case their names are.

    A client may send an array where a string belongs: then its strings are redacted, up to the first other element.
    """
    names = {b'"%s"' % field.lower().encode() for field in fields}
    parts, done = [], 0
    for end in ends_of(names, text.lower()) if names else ():
        value = _VALUE.match(text, end) if end >= done else None
        while value is not None:
            parts += [text[done : value.start(1)], _BLANK]
            done = value.end()
            value = _NEXT_IN_ARRAY.match(text, done)
    return b"".join([*parts, text[done:]]) if parts else text


def _replaced(text: bytes, spellings: list[bytes]) -> bytes:
    for spelling in spellings:
        text = text.replace(spelling, REDACTED.encode())
    return text


def _is_disguised(text: bytes, secrets: Secrets, fields: tuple[str, ...]) -> bool:
    """Return whether a secret or the name of a field is in a text behind escapes, or a secret behind percent signs."""
    if b"\\" not in text and (b"%" not in text or not secrets.spellings):
        return False
    names = _ends_of_names(fields)
    lower = text.lower() if names else b""
    plain = [lower.count(name.encode()) for name in names]
    for view in views(text):
        if secrets.occurs_in(view):
            return True
        lower_view = view.lower() if names else ""
        if any(lower_view.count(name) > count for name, count in zip(names, plain, strict=True)):
            return True
    return False


def views(text: bytes) -> Iterator[str]:
    """Yield a text with the escapes of its strings undone, once and more often, and with percent-encoding undone too.

    Everything at once, by methods that are fast on any text. Where a view has a secret, a string of the text has it.
    """
    view = text.decode("utf-8", "surrogateescape")
    for _ in range(MAX_NESTING):
        if "%" in view:
            yield unquoted(view)
        if "\\" not in view:
            return
        view = _unescaped(view)
        yield view


def _unescaped(text: str) -> str:
    for escape, character in _PLAIN_ESCAPES:
        text = text.replace(escape, character)
    if "\\u" not in text:
        return text
    try:
        plain = text.encode("raw_unicode_escape").decode("raw_unicode_escape")
    except UnicodeDecodeError:  # no JSON
        text = _BAD_ESCAPE.sub("", text)
        plain = text.encode("raw_unicode_escape", "replace").decode("raw_unicode_escape", "replace")
    # A character beyond U+FFFF is two escapes.
    return plain if plain.isascii() else plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def is_well_formed(text: bytes) -> bool:
    """Return whether a text is JSON."""
    for loads in (orjson.loads, json.loads):  # orjson refuses numbers such as 1e999
        try:
            loads(text)
        except (ValueError, RecursionError):
            continue
        return True
    return False


class _Strings:
    """One pass over the strings of a text, with what is found in one that says something about the next."""

    def __init__(self, text: bytes, secrets: Secrets, fields: tuple[str, ...], levels: int) -> None:
        self._text = text
        self._fields = fields
        self._names = frozenset([field.lower() for field in fields])
        self._levels = levels
        together = "\n".join([text.decode("utf-8", "surrogateescape"), *views(text)])
        self._secrets = Secrets(tuple([each for each in secrets.spellings if each in together]))
        self._secret_value_at = -1

    def hidden(self) -> bytes:
        """Return the text with secrets redacted."""
        if self._text.count(b'"') * len(self._secrets.spellings) > MAX_COMPARISONS:
            return _BLANK
        return _TOKEN.sub(self._hidden_token, self._text)

    def _hidden_token(self, match: re.Match[bytes]) -> bytes:
        token, colon = match[1], match[2] or b""
        if match.start() == self._secret_value_at:
            return _BLANK + colon
        is_escaped = b"\\" in token
        if not is_escaped:
            plain = token.decode("utf-8", "surrogateescape").strip('"')
        else:
            try:
                plain = _DECODER.raw_decode(token.decode("utf-8", "surrogateescape"))[0]
            except ValueError:  # cut off, or no JSON
                return _BLANK + colon if _is_disguised(token, self._secrets, self._fields) else match[0]
        if colon and plain.lower() in self._names:
            opening = _OPENING.match(self._text, match.end())
            self._secret_value_at = match.end() if opening is None else opening.end()
        if self._levels and '"' in plain and is_json(plain[:64].encode("utf-8", "surrogateescape")):
            inner = plain.encode("utf-8", "surrogatepass")
            inner = hide(inner, self._secrets, self._fields, self._levels - 1)
            hidden = self._secrets.hide(inner.decode("utf-8", "surrogatepass"))
        else:
            hidden = self._secrets.hide(plain)
        if hidden == plain:
            return match[0]
        written = json.dumps(hidden).encode() if is_escaped else b'"%s"' % hidden.encode("utf-8", "surrogateescape")
        return written + colon
