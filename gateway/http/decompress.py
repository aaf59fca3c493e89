"""Compressed request bodies to plain ones, under a cap. Pure."""

import zlib

from gateway.dialect.outcome import Fault, Reason, Refusal

_GZIP, _ZLIB, _RAW = 31, 15, -15
MAX_CODINGS = 4  # each is a pass over the whole body, and strangers may ask for it
MAX_MEMBERS = 128  # of a gzip body (RFC 1952 lets them stand in a row); each copies what follows it
_GZIP_MAGIC = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"
_GZIPS = ("gzip", "x-gzip")
_KNOWN = frozenset({*_GZIPS, "deflate", "identity", ""})
_JSON_STARTS = (*(bytes([each]) for each in b'{["-0123456789'), b"true", b"false", b"null")


def decompress(body: bytes, encoding: str, cap: int) -> bytes:
    """Return a body with its Content-Encoding undone. Raises Refusal: too large, not what it says, or not known.

    An empty body is none, whatever its coding. Plain JSON under a coding is returned as it is: some proxies inflate a
    body and leave its header.
    """
    names = [part.strip().lower() for part in encoding.split(",", MAX_CODINGS)]
    if len(names) > MAX_CODINGS:
        raise Refusal(Reason.ENCODING, detail={"encoding": f"more than {MAX_CODINGS} codings"})
    if not all(name in _KNOWN for name in names):
        raise Refusal(Reason.ENCODING, detail={"encoding": encoding})
    for name in reversed(names):
        if name in _GZIPS:
            if not body.startswith(_GZIP_MAGIC) and _is_plain(body):
                return body
            body = _gunzip(body, cap)
        elif name == "deflate":
            if not body:
                return body
            body = _undeflate(body, cap)
    return body


def _is_plain(body: bytes) -> bool:
    """Return whether a body is empty or begins like JSON."""
    start = body.removeprefix(_BOM).lstrip(_SPACE) if body[:1] in (b" ", b"\t", b"\r", b"\n", b"\xef") else body
    return not body or start.startswith(_JSON_STARTS)


def _undeflate(body: bytes, cap: int) -> bytes:
    """Return a deflated body inflated. RFC 9110 means zlib's format; many clients send the bare one.

    The bare one has no mark at its start, and may begin as JSON does: plain JSON is what cannot be inflated.
    """
    try:
        plain, rest = _inflate(body, _ZLIB if body[:1] == b"\x78" else _RAW, cap)
    except Refusal as refusal:
        if refusal.reason is Reason.BODY and _is_plain(body):
            return body
        raise
    if not rest:
        return plain
    if _is_plain(body):
        return body
    raise _malformed()


def _gunzip(body: bytes, cap: int) -> bytes:
    plain, rest = _inflate(body, _GZIP, cap)
    if not rest:
        return plain
    parts = [plain]
    for _ in range(1, MAX_MEMBERS):
        cap -= len(parts[-1])
        plain, rest = _inflate(rest, _GZIP, cap)
        parts.append(plain)
        if not rest:
            return b"".join(parts)
    raise _malformed()


def _inflate(body: bytes, format_: int, cap: int) -> tuple[bytes, bytes]:
    """Return what was compressed, and what stands behind it."""
    engine = zlib.decompressobj(format_)
    try:
        plain = engine.decompress(body, cap + 1)
    except zlib.error:
        raise _malformed() from None
    if len(plain) > cap:
        raise Refusal(Reason.TOO_LARGE, detail={"limit": cap})
    if not engine.eof:
        raise _malformed()
    return plain, engine.unused_data


def _malformed() -> Refusal:
    return Refusal(Reason.BODY, faults=(Fault("malformed_encoding"),))
