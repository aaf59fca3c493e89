"""A request as it may be kept: whole, but for the credentials in it. Pure."""

import functools
import json
import re
from collections.abc import Callable, Iterable, Mapping

import orjson

from gateway.dialect import Credential, Dialect
from gateway.message import Request
from gateway.storage.base import Raw

BLANK = "[blanked]"
MARGIN = 4096  # what is cut off is looked at so far, so that no secret at the cut is missed
SHORTEST = 4  # what is shorter is no secret, and would be found in half of all words
_SECRET_HEADER = re.compile("key|token|secret|auth|password|cookie")
_SCHEMES = ("bearer", "basic")
_NO_SECRETS = ("idempotency-key",)
_STRING = rb'"(?:[^"\\]|\\.)*(?:"|\Z)'  # to its end, or to the end of a body that was cut off
_ESCAPED = re.compile(rb'"[^"\\]*\\(?:[^"\\]|\\.)*"')
# Each proxy has a name of its own: Forwarded, X-Real-IP, CF-Connecting-IPv6, X-Azure-ClientIP, Remote-Addr, ...
_ADDRESS_HEADER = re.compile("forwarded|(?:^|[-_]|client)ip(?:v6)?$|remote-addr|external-address")


def kept(
    request: Request,
    dialect: Dialect,
    credentials: Iterable[Credential],
    site: str | None = None,
    keep_ip: Callable[[str], str | None] | None = None,
    most: int | None = None,
    fields: tuple[str, ...] = (),
) -> Raw:
    """Return a request as it may be kept: its secrets blanked, and where `keep_ip` says so, the client's address too.

    Blanked are the values of the secret credentials wherever they stand, the fields that the dialect names, and every
    header that is named like a secret; public ids stay. `most` cuts the body; `fields` are blanked
    beside the dialect's own.
    """
    fields = (*dialect.secret_fields, *fields)
    named = {field.lower() for field in fields}
    public = {kind.name for kind in dialect.kinds if kind.public}
    secrets = {each.value for each in credentials if each.kind not in public and len(each.value) >= SHORTEST}
    ordered = sorted(secrets, key=len, reverse=True)  # of two, where one holds the other, the longer goes first
    address = request.client_ip
    if keep_ip is not None and address is not None:
        address = keep_ip(address)
    query = {
        _text(name, ordered): BLANK if name.lower() in named else _text(value, ordered)
        for name, value in request.query.items()
    }
    headers = _headers(request.headers, ordered, keep_ip is not None)
    body = _body(request.body if most is None else request.body[: most + MARGIN], ordered, fields)
    path = _text(request.path, ordered)
    return Raw(request.method, path, _json(query), _json(headers), body[:most], address, site)


def _headers(headers: Mapping[str, str], secrets: list[str], hide_address: bool) -> dict[str, str]:
    kept: dict[str, str] = {}
    for name, value in headers.items():
        name = name.lower()
        if "cookie" in name or (hide_address and _ADDRESS_HEADER.search(name)):
            continue
        if _SECRET_HEADER.search(name) and name not in _NO_SECRETS:
            scheme = value.split(" ", 1)[0]
            value = f"{scheme} {BLANK}" if scheme.lower() in _SCHEMES else BLANK
        kept.setdefault(name, _text(value, secrets))
    return kept


def _text(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, BLANK)
    return text


def _body(body: bytes, secrets: list[str], fields: tuple[str, ...]) -> bytes:
    if fields:
        inside, form = _named(fields)
        body = inside.sub(rb'\1"%s"' % BLANK.encode(), body)
        if not body.startswith((b"{", b"[")):
            body = form.sub(rb"\1%s" % BLANK.encode(), body)
    for secret in secrets:
        body = body.replace(secret.encode("utf-8", "surrogatepass"), BLANK.encode())
    if secrets and b"\\" in body:  # one may be spelled with escapes
        body = _ESCAPED.sub(lambda token: _escaped(token[0], secrets), body)
    return body


@functools.lru_cache(maxsize=64)
def _named(fields: tuple[str, ...]) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Return what finds the values of fields in JSON and in a form."""
    names = b"|".join([re.escape(field.encode()) for field in fields])
    inside = rb'("(?:%s)"\s*:\s*)%s' % (names, _STRING)
    return re.compile(inside, re.IGNORECASE), re.compile(rb"((?:\A|&)(?:%s)=)[^&]*" % names, re.IGNORECASE)


def _escaped(token: bytes, secrets: list[str]) -> bytes:
    try:
        text = json.loads(token)
    except ValueError:
        return token
    blanked = _text(text, secrets)
    return token if blanked == text else json.dumps(blanked).encode()


def _json(values: Mapping[str, str]) -> bytes:
    try:
        return orjson.dumps(values)
    except TypeError:  # bytes that were not UTF-8 come from the server as surrogates: they stay, as escapes
        return json.dumps(values).encode()
