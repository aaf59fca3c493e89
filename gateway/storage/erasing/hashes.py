"""What is kept of an erased person: keyed hashes of ids, in the tables `erasures` and `erased_messages`. Pure."""

import hashlib

HASH_BYTES = 16


def person_hash(secret: bytes, project: str, kind: str, identifier: str) -> bytes:
    """Return what is kept of a person's id. `secret` is the store's own, of 16 bytes or more."""
    return _hash(secret, "person", project, kind, identifier)


def message_hash(secret: bytes, project: str, dialect: str, message_id: str) -> bytes:
    """Return what is kept of an erased event's or quarantined item's id."""
    return _hash(secret, "message", project, dialect, message_id)


def _hash(secret: bytes, *parts: str) -> bytes:
    text = b"".join(
        [b"%d:%b" % (len(each), each) for each in [part.encode("utf-8", "surrogatepass") for part in parts]]
    )
    return hashlib.blake2b(text, digest_size=HASH_BYTES, key=secret).digest()
