"""Compressed request bodies to plain ones, under a cap. Pure."""

import zlib

from gateway.dialect.outcome import Fault, Reason, Refusal

_GZIP, _ZLIB, _RAW = 31, 15, -15
MAX_CODINGS = 4  # each is a pass over the whole body, and strangers may ask for it
MAX_MEMBERS = 128  # of a gzip body (RFC 1952 lets them stand in a row); each copies what follows it


def decompress(body: bytes, encoding: str, cap: int) -> bytes:
    """Return a body with its Content-Encoding undone. Raises Refusal: too large, not what it says, or not known."""
    names = [part.strip().lower() for part in encoding.split(",")]
    if len(names) > MAX_CODINGS:
        raise Refusal(Reason.ENCODING, detail={"encoding": f"{len(names)} codings"})
    for name in reversed(names):
        if name in ("gzip", "x-gzip"):
            body = _gunzip(body, cap)
        elif name == "deflate":  # RFC 9110 means zlib's format; many clients send the bare one
            body, rest = _inflate(body, _ZLIB if body[:1] == b"\x78" else _RAW, cap)
            if rest:
                raise _malformed()
        elif name not in ("identity", ""):
            raise Refusal(Reason.ENCODING, detail={"encoding": encoding})
    return body


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
