"""Redacts the credentials in a request before it is kept or logged. Pure."""

import base64
import functools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import quote

import orjson

from gateway.dialect import Credential, Dialect
from gateway.dialect.message import Request
from gateway.records.raw_request import RawRequest

KeepIp = Callable[[str], str | None]
"""Returns what a project keeps of an address; None if it keeps nothing."""

REDACTED = "[redacted]"
MARGIN = 4096  # bytes after a cut that are searched too, so that no secret across the cut is missed
MIN_SECRET_LENGTH = 4  # shorter values would be found in half of all words
MIN_WORD_LENGTH = 8  # the same for values that only may be secrets
MAX_LINE = 500
_SECRET_HEADER = re.compile("key|token|secret|auth|password|cookie")
_SCHEMES = ("bearer", "basic")
_NO_SECRETS = ("idempotency-key",)
# A JSON string, or one that is cut off at the end of the body, even after a backslash. It may have line feeds in it.
_STRING = rb'"(?:[^"\\]|\\[\s\S]?)*(?:"|\Z)'
_PERCENT = re.compile("%[0-9A-F]{2}")
_ESCAPED = re.compile(rb'"[^"\\]*\\(?:[^"\\]|\\[\s\S])*"')
# Every proxy has its own: Forwarded, X-Real-IP, CF-Connecting-IPv6, X-Azure-ClientIP, Remote-Addr, ...
_ADDRESS_HEADER = re.compile("forwarded|(?:^|[-_]|client)ip(?:v6)?$|remote-addr|external-address")


def request(
    given: Request,
    dialect: Dialect,
    credentials: Iterable[Credential],
    site: str | None = None,
    keep_ip: KeepIp | None = None,
    max_body: int | None = None,
    fields: tuple[str, ...] = (),
) -> RawRequest:
    """Return a request as it may be kept, with `[redacted]` in the place of each secret.

    Secrets are the values of secret credentials, wherever they are, also percent-encoded or in base64; the fields that
    the dialect calls secret, and `fields`; and the headers whose names suggest a secret. Public ids are kept. `keep_ip`
    shortens the client's address, and leaves out the headers that have it. The body is cut to `max_body` bytes.
    """
    fields = (*dialect.secret_fields, *fields)
    named = {field.lower() for field in fields}
    ordered = _secrets(dialect, credentials)
    address = given.client_ip
    if keep_ip is not None and address is not None:
        address = keep_ip(address)
    query = {
        _text(name, ordered): REDACTED if name.lower() in named else _text(value, ordered)
        for name, value in given.query.items()
    }
    headers = _headers(given.headers, ordered, keep_ip is not None)
    body = _body(given.body if max_body is None else given.body[: max_body + MARGIN], ordered, fields)
    path = _text(given.path, ordered)
    return RawRequest(
        method=given.method,
        path=path,
        query=_json(query),
        headers=_json(headers),
        body=body[:max_body],
        client_ip=address,
        site=site,
    )


def item(payload: bytes, faults: bytes, dialect: Dialect, credentials: Iterable[Credential]) -> tuple[bytes, bytes]:
    """Return the payload and the faults (both JSON) of a quarantined item, redacted like its request."""
    secrets = _secrets(dialect, credentials)
    return _body(payload, secrets, dialect.secret_fields), _body(faults, secrets, ())


def text(given: str, dialect: Dialect, credentials: Iterable[Credential]) -> str:
    """Return a text with the secrets among the credentials redacted."""
    return _text(given, _secrets(dialect, credentials))


def log_line(given: str, request: Request, dialect: Dialect, credentials: Iterable[Credential]) -> str:
    """Return a text for one line of a log: secrets redacted, cut to MAX_LINE, control characters escaped."""
    shown = text(given, dialect, [*credentials, *header_secrets(request.headers)])[:MAX_LINE]
    return shown if shown.isprintable() else shown.encode("unicode_escape").decode("ascii")


def header_secrets(headers: Mapping[str, str]) -> Iterator[Credential]:
    """Yield the values of headers whose names suggest a secret, for requests that no dialect could parse."""
    for name, value in headers.items():
        if _is_secret(name.lower()):
            words = value.split()
            yield from [Credential("", word) for word in words[1:] or words if len(word) >= MIN_WORD_LENGTH]


def _is_secret(name: str) -> bool:
    return _SECRET_HEADER.search(name) is not None and name not in _NO_SECRETS


def _secrets(dialect: Dialect, credentials: Iterable[Credential]) -> tuple[str, ...]:
    """Return what to redact, the longest first, because one may contain another."""
    public = {kind.name for kind in dialect.kinds if kind.public}
    values = {each.value for each in credentials if each.kind not in public and len(each.value) >= MIN_SECRET_LENGTH}
    return _spellings(frozenset(values))


@functools.lru_cache(maxsize=1024)
def _spellings(values: frozenset[str]) -> tuple[str, ...]:
    """Return secrets in all the forms that they have in HTTP: plain, percent-encoded, in base64 as Basic sends it."""
    found: set[str] = set()
    for secret in values:
        encoded = quote(secret, safe="", errors="surrogatepass")
        found |= {secret, encoded, _PERCENT.sub(lambda triple: triple[0].lower(), encoded)}
        for pair in (secret, f"{secret}:", f":{secret}"):
            raw = pair.encode("utf-8", "surrogatepass")
            found |= {base64.b64encode(raw).decode().rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("=")}
    return tuple(sorted(found, key=len, reverse=True))


@functools.lru_cache(maxsize=1024)
def _as_bytes(secrets: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(secret.encode("utf-8", "surrogatepass") for secret in secrets)


def _headers(headers: Mapping[str, str], secrets: tuple[str, ...], hide_address: bool) -> dict[str, str]:
    kept: dict[str, str] = {}
    for name, value in headers.items():
        name = name.lower()
        if "cookie" in name or (hide_address and _ADDRESS_HEADER.search(name)):
            continue
        if _is_secret(name):
            scheme = value.split(" ", 1)[0]
            value = f"{scheme} {REDACTED}" if scheme.lower() in _SCHEMES else REDACTED
        kept.setdefault(name, value)
    together = "\n".join(kept.values())
    found = tuple(secret for secret in secrets if secret in together)  # mostly none: then no value is searched
    return {name: _text(value, found) for name, value in kept.items()} if found else kept


def _text(given: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        given = given.replace(secret, REDACTED)
    return given


def _body(body: bytes, secrets: tuple[str, ...], fields: tuple[str, ...]) -> bytes:
    if fields:
        inside, form = _named(fields)
        body = inside.sub(rb'\1"%s"' % REDACTED.encode(), body)
        if not body.startswith((b"{", b"[")):
            body = form.sub(rb"\1%s" % REDACTED.encode(), body)
    for secret in _as_bytes(secrets):
        body = body.replace(secret, REDACTED.encode())
    if secrets and b"\\" in body:  # a secret may be spelled with escapes
        body = _ESCAPED.sub(lambda token: _escaped(token[0], secrets), body)
    return body


@functools.lru_cache(maxsize=64)
def _named(fields: tuple[str, ...]) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Return patterns that find the values of fields in JSON and in a form."""
    names = b"|".join([re.escape(field.encode()) for field in fields])
    inside = rb'("(?:%s)"\s*:\s*)%s' % (names, _STRING)
    return re.compile(inside, re.IGNORECASE), re.compile(rb"((?:\A|&)(?:%s)=)[^&]*" % names, re.IGNORECASE)


def _escaped(token: bytes, secrets: tuple[str, ...]) -> bytes:
    if len(token) < len(secrets[-1]) + 2:  # the last secret is the shortest; a body may have very many such tokens
        return token
    try:
        plain = json.loads(token)
    except ValueError:
        return token
    left = _text(plain, secrets)
    return token if left == plain else json.dumps(left).encode()


def _json(values: Mapping[str, str]) -> bytes:
    try:
        return orjson.dumps(values)
    except TypeError:  # bytes that are not UTF-8 come from the HTTP server as surrogates; `json` escapes them
        return json.dumps(values).encode()
