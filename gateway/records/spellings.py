"""What is searched for in what is kept of one request: a few secrets, in every spelling that HTTP gives them. Pure.

Nothing is remembered between requests: the words are strangers'.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

from gateway.dialect.contract import MAX_CREDENTIAL, MAX_CREDENTIALS, Credential, Dialect
from gateway.dialect.value_class import value_class
from gateway.records.secret_names import is_secret

REDACTED = "[redacted]"
MIN_SECRET_LENGTH = 4  # shorter values would be found in half of all words
MIN_WORD_LENGTH = 8  # the same for values that only may be secrets
MAX_WORDS = 16
MAX_WORD_BYTES = 16 * 1024
"""How many words of headers that look secret are searched for, and their size together."""
NO_VARIABLES: Mapping[str, str] = {}
_SCHEMES = frozenset({"bearer", "basic", "digest", "negotiate", "token"})
_BAD_PERCENT = re.compile(rb"\\u00(?![0-9a-fA-F]{2})")
_BETWEEN_WORDS = str.maketrans(",;", "  ")
_SEPARATOR = "\ud800"  # no text of a head has it: bytes that are not UTF-8 are U+DC80 to U+DCFF there


@value_class
class Secrets:
    """The spellings of secrets that are searched for, the longest first, because one may contain another.

    With `too_many` there were more than are searched for: nothing that is long enough to hold one of them is kept.
    """

    spellings: tuple[str, ...] = ()
    too_many: bool = False

    def hide(self, text: str) -> str:
        """Return a text without secrets; REDACTED alone if one is spelled in a way that cannot be cut out."""
        if self.too_many:
            return text if len(text) < MIN_SECRET_LENGTH else REDACTED
        hidden = text
        for spelling in self.spellings:
            hidden = hidden.replace(spelling, REDACTED)
        if hidden is not text and self.occurs_in(hidden):  # what stood around a secret may be one when it is gone
            return REDACTED
        return REDACTED if "%" in hidden and self.occurs_in(unquoted(hidden)) else hidden

    def hide_all(self, texts: Iterable[str]) -> list[str]:
        """Return texts without secrets, as `hide` does. They are searched together: there may be very many."""
        found = list(texts)
        if not self.too_many:
            together = self.hide(_SEPARATOR.join(found))
            if together.count(_SEPARATOR) == len(found) - 1:
                return together.split(_SEPARATOR)
        return [self.hide(text) for text in found]

    def occurs_in(self, text: str) -> bool:
        """Return whether a secret is in a text, in one of its spellings."""
        return any(spelling in text for spelling in self.spellings)


def secrets_of(
    credentials: Iterable[Credential],
    dialect: Dialect,
    headers: Mapping[str, str] | None = None,
    variables: Mapping[str, str] = NO_VARIABLES,
) -> Secrets:
    """Return what to search for: the values of secret credentials and, if `headers` are given, words of secret ones.

    Of the variables of a path, those are secrets whose names are among the dialect's secret fields.

    A credential that is longer than any can be is not searched for: wherever a dialect takes one, its place is blanked.
    """
    public = {kind.name for kind in dialect.kinds if kind.public}
    shown = tuple(credentials)
    ids = {each.value for each in shown if each.kind in public and len(each.value) <= MAX_CREDENTIAL}
    values = {
        each.value
        for each in shown[:MAX_CREDENTIALS]
        if each.kind not in public and MIN_SECRET_LENGTH <= len(each.value) <= MAX_CREDENTIAL
    }
    fields = {name.lower() for name in dialect.secret_fields} if variables else ()
    values |= {
        value
        for name, value in variables.items()
        if name.lower() in fields and MIN_SECRET_LENGTH <= len(value) <= MAX_CREDENTIAL
    }
    too_many = len(shown) > MAX_CREDENTIALS
    size = 0
    for word in () if headers is None else header_words(headers):
        if word in values or word in ids:
            continue
        values.add(word)
        size += len(word)
        if len(values) > MAX_WORDS + MAX_CREDENTIALS or size > MAX_WORD_BYTES:
            return Secrets(too_many=True)
    found = {spelling for value in values for spelling in _spellings(value) if spelling not in REDACTED}
    return Secrets(tuple(sorted(found, key=len, reverse=True)), too_many)


def header_words(headers: Mapping[str, str]) -> Iterator[str]:
    """Yield the words of headers whose names suggest a secret, schemes left out, and the values of such cookies.

    Of `Basic` credentials what they encode is yielded too. There may be very many words, some of them twice.
    """
    for name, value in headers.items():
        name = name.lower()
        if name == "cookie":
            yield from _cookies(value)
        elif is_secret(name):
            words = value.translate(_BETWEEN_WORDS).split()
            if len(words) > 1 and "authorization" in name:
                del words[0]
            for word in words:
                _, is_named, quoted = word.partition('="')
                content = (quoted if is_named else word).strip("\"'")
                if len(content) >= MIN_WORD_LENGTH and content.lower() not in _SCHEMES:
                    yield content
            if value[:6].lower() == "basic " and len(value) <= 2 * MAX_CREDENTIAL:
                yield from [part for part in _basic(value[6:].strip()) if len(part) >= MIN_WORD_LENGTH]


def _cookies(value: str) -> Iterator[str]:
    for pair in value.split(";"):
        name, _, content = pair.strip().partition("=")
        if len(content) >= MIN_WORD_LENGTH and is_secret(name.lower()):
            yield content


def _basic(token: str) -> list[str]:
    """Return the user and the password of Basic credentials; nothing if they are none."""
    try:
        plain = base64.b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, ValueError):
        return []
    return list(plain.partition(":")[::2])


def _spellings(secret: str) -> Iterator[str]:
    """Yield a secret in the forms that it has in HTTP: plain, percent-encoded, in base64 as Basic sends it."""
    encoded = quote(secret, safe="", errors="surrogatepass")
    yield from (secret, encoded)
    if encoded != secret:
        yield "%".join([encoded[: encoded.index("%")], *[_lower(part) for part in encoded.split("%")[1:]]])
    for pair in (secret, f"{secret}:", f":{secret}"):
        raw = pair.encode("utf-8", "surrogatepass")
        yield base64.b64encode(raw).decode().rstrip("=")
        yield base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _lower(part: str) -> str:
    """Return what follows a `%` with its two hex digits in lower case."""
    return part[:2].lower() + part[2:]


def unquoted(text: str) -> str:
    """Return a text with its percent-encoding undone, once and twice: in a query it may have been encoded again."""
    once = _unquoted(text)
    return f"{once}\n{_unquoted(once)}" if "%" in once else once


def _unquoted(text: str) -> str:
    """Do what `urllib.parse.unquote` does, in a hundredth of its time on a text of percent signs."""
    escaped = text.encode("utf-8", "surrogatepass").replace(b"\\", b"\\u005c").replace(b"%", b"\\u00")
    try:
        plain = escaped.decode("raw_unicode_escape")
    except UnicodeDecodeError:
        plain = _BAD_PERCENT.sub(b"", escaped).decode("raw_unicode_escape")
    return plain.encode("latin-1").decode("utf-8", "surrogateescape")
