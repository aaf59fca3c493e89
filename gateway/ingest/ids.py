"""The identifiers that the gateway makes: time-ordered UUIDs, and digests of what a client sent."""

import functools
import hashlib
import os
import threading
from uuid import UUID

from gateway.dialect import Item

EACH_DERIVED = 100
_COUNTED = (1 << 62) - 1


def uuid7(millis: int, entropy: bytes) -> str:
    """Return a UUID of version 7 (RFC 9562) from a time in milliseconds and ten random bytes.

    Python has it from 3.14 on, as `uuid.uuid7`.
    """
    time, chance = f"{millis & 0xFFFFFFFFFFFF:012x}", entropy.hex()
    variant = "89ab"[entropy[2] & 3]
    return f"{time[:8]}-{time[8:]}-7{chance[:3]}-{variant}{chance[5:8]}-{chance[8:]}"


class _Entropy:
    """Random bytes from the kernel, read in bulk: a call for each id would cost more than the rest of it."""

    SIZE, EACH = 4000, 10

    def __init__(self) -> None:
        self._pool = b""
        self._at = 0

    def take(self) -> bytes:
        if self._at >= len(self._pool):
            self._pool, self._at = os.urandom(self.SIZE), 0
        self._at += self.EACH
        return self._pool[self._at - self.EACH : self._at]


_entropy = _Entropy()


class _Run:
    """The ids of one millisecond, which is that of a request: one random base, then counted up. Any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._millis = -1
        self._first = ""
        self._count = 0

    def next(self, millis: int) -> str:
        with self._lock:
            if millis != self._millis:
                self._millis, self._first, self._count = millis, uuid7(millis, _entropy.take()), 0
                return self._first
            self._count += 1
            first, count = self._first, self._count
        return following(first, count)


_run = _Run()


def fresh(millis: int) -> str:
    """Return a new time-ordered UUID for a time in milliseconds; those of one time in a row are counted up."""
    return _run.next(millis)


def following(first: str, steps: int) -> str:
    """Return the id that is `steps` after a UUID of version 7 or 8, counted up in its last 62 bits (RFC 9562, 6.2).

    So the ids of a request differ in a few digits only, sort in its order, and take next to nothing once compressed.
    """
    low = int(first[19:23] + first[24:], 16)
    counted = f"{low & ~_COUNTED | (low + steps) & _COUNTED:016x}"
    return f"{first[:19]}{counted[:4]}-{counted[4:]}"


def digest(*parts: str) -> bytes:
    """Return 16 bytes that stand for a list of texts; two different lists never run together into the same bytes."""
    framed = "".join([f"{len(part)}:{part}" for part in parts])
    return hashlib.blake2b(framed.encode("utf-8", "surrogatepass"), digest_size=16).digest()


@functools.lru_cache(maxsize=4096)
def _scope(project: str, dialect: str, kind: str) -> tuple["hashlib.blake2b", str]:
    """Return the state of a digest behind a project and a dialect, and the kind in its frame.

    The site is not among what is remembered: an item may name one of any length that nobody knows.
    """
    framed = f"{len(project)}:{project}{len(dialect)}:{dialect}"
    return hashlib.blake2b(framed.encode("utf-8", "surrogatepass"), digest_size=16), f"{len(kind)}:{kind}"


def dedupe_scope(project: str, dialect: str, site: str | None, item: Item) -> "hashlib.blake2b":
    """Return the scope of an item's id, as a digest of all but the id; `site` is the one that its request was sent for.

    An id is unique per project, dialect, public site (the item's, else `site`, else none) and kind of item. This is the
    only place that defines the scope: two items with the same scope and id are the same event.
    """
    before, kind = _scope(project, dialect, item.kind)
    scope = before.copy()
    where = item.site or site or ""
    scope.update(f"{len(where)}:{where}{kind}".encode("utf-8", "surrogatepass"))
    return scope


def key_within(scope: "hashlib.blake2b", message_id: str | None) -> bytes | None:
    """Return 16 bytes that stand for an id within its scope; None if the client sent no id."""
    if not message_id:
        return None
    state = scope.copy()
    state.update(message_id.encode("utf-8", "surrogatepass"))
    return state.digest()


def dedupe_key(project: str, dialect: str, site: str | None, item: Item) -> bytes | None:
    """Return the 16 bytes that stand for an item's id within its scope; None if the client sent no id."""
    return key_within(dedupe_scope(project, dialect, site, item), item.message_id)


def derived(*parts: str) -> str:
    """Return a UUID (version 8, RFC 9562) that is always the same for the same texts."""
    raw = bytearray(digest(*parts))
    raw[6] = raw[6] & 0x0F | 0x80
    raw[8] = raw[8] & 0x3F | 0x80
    return str(UUID(bytes=bytes(raw)))


def numbered(scope: tuple[str, ...], key: str, index: int) -> str:
    """Return the id of a request's item that has none, always the same for the same idempotency key and index.

    Those of a longer request are counted up, so that they compress; the first ones are as they always were.
    """
    if index < EACH_DERIVED:
        return derived(*scope, key, str(index))
    return following(derived(*scope, key, str(EACH_DERIVED)), index - EACH_DERIVED)
