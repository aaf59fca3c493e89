"""The hash under which SQLite keeps the dedupe keys of quarantined items. Pure.

It stands for a key in PostgreSQL too, where items were moved from SQLite: the keys themselves are not known there.
"""

import hashlib

HASH_BYTES = 8
NO_HASH = bytes(HASH_BYTES)


def key_hash(secret: bytes, key: bytes) -> bytes:
    """Return the eight bytes that stand for a dedupe key; nobody without the secret can choose two with the same."""
    found = hashlib.blake2b(key, digest_size=HASH_BYTES, key=secret).digest()
    return found if found != NO_HASH else b"\1" * HASH_BYTES


def as_number(hashed: bytes) -> int:
    """Return a hash as SQLite's tables have it."""
    return int.from_bytes(hashed, "big", signed=True)
