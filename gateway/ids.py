"""Identifiers that we make: time-ordered UUIDs, and digests of what a client sent. Pure, randomness is an argument."""

import hashlib
import os
from uuid import UUID


def uuid7(millis: int, entropy: bytes) -> str:
    """Return a UUID of version 7 (RFC 9562) from a time in milliseconds and ten random bytes."""
    bits = int.from_bytes(entropy, "big")
    high, low = (bits >> 62) & 0xFFF, bits & ((1 << 62) - 1)
    number = (millis & ((1 << 48) - 1)) << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def fresh(millis: int) -> str:
    """Return a new time-ordered UUID."""
    return uuid7(millis, os.urandom(10))


def digest(*parts: str) -> bytes:
    """Return 16 bytes that stand for the parts; no two lists of parts share their framing."""
    framed = "".join([f"{len(part)}:{part}" for part in parts])
    return hashlib.blake2b(framed.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def derived(*parts: str) -> str:
    """Return the UUID (version 8, RFC 9562) that the parts always give."""
    raw = bytearray(digest(*parts))
    raw[6] = raw[6] & 0x0F | 0x80
    raw[8] = raw[8] & 0x3F | 0x80
    return str(UUID(bytes=bytes(raw)))
