"""Compressed request bodies to plain ones, under a cap. Pure."""

import zlib

from gateway.outcome import Fault, Reason, Refusal

_GZIP, _ZLIB, _RAW = 31, 15, -15


def inflate(body: bytes, encoding: str, cap: int) -> bytes:
    """Return a body with its Content-Encoding undone. Raises Refusal: too large, not what it says, or not known."""
    for name in reversed([part.strip().lower() for part in encoding.split(",")]):
        if name in ("gzip", "x-gzip"):
            body = _inflate(body, _GZIP, cap)
        elif name == "deflate":  # RFC 9110 means zlib's format; many clients send the bare one
            body = _inflate(body, _ZLIB if body[:1] == b"\x78" else _RAW, cap)
        elif name not in ("identity", ""):
            raise Refusal(Reason.ENCODING, detail={"encoding": encoding})
    return body


def _inflate(body: bytes, format_: int, cap: int) -> bytes:
    engine = zlib.decompressobj(format_)
    try:
        plain = engine.decompress(body, cap + 1)
    except zlib.error:
        raise Refusal(Reason.BODY, faults=(Fault("malformed_encoding"),)) from None
    if len(plain) > cap:
        raise Refusal(Reason.TOO_LARGE, detail={"limit": cap})
    if not engine.eof:
        raise Refusal(Reason.BODY, faults=(Fault("malformed_encoding"),))
    return plain
