"""What hostile requests are made of, for those of every dialect and for a dialect's own. No IO here."""

import functools
import gzip
from collections.abc import Callable, Mapping

import attrs

from gateway.dialect import MAX_VALUES
from gateway.testing.corpus.message import SentRequest
from gateway.testing.samples.variants import with_idempotency_key
from tests.faults.traffic import Keys
from tests.kit.bounds import MIB, Hostile
from tests.kit.endpoints import raw

MOST_ITEMS, MOST_VALUES = 20_000, 250_000
SPARE = 400  # bytes of a body for what stands around its large part
MANY_VALUES = MAX_VALUES - 1000
HALF = b'"\\ud83d"'
LAYERS = 4000  # of gzip: as many names as a header takes, about
Made = Callable[[Keys], Hostile]
"""Makes a request, given the credential of each dialect."""


@attrs.frozen
class Json:
    """A JSON body to be sent gzipped, with the credential of a dialect, or with none."""

    dialect: str | None
    path: str
    body: bytes


def fill(piece: bytes, size: int, between: bytes = b",") -> bytes:
    """Return a piece as often as it fits into a size, with something between any two."""
    return between.join([piece] * max(1, (size - len(piece)) // (len(piece) + len(between))))


def many(item: bytes, size: int) -> bytes:
    """Return items with a comma between them, up to about a size."""
    return repeated(item, size // (len(item) + 1))


def repeated(unit: bytes, count: int) -> bytes:
    """Return JSON values, a comma between them."""
    return b",".join([unit] * count)


def names(count: int) -> bytes:
    """Return the inside of an object of so many members."""
    return b",".join(b'"%x":1' % number for number in range(count))


def numbered(item: Callable[[int], bytes], size: int) -> tuple[bytes, int]:
    """Return as many different items as a batch may have, a comma between them, each given its number; and how many."""
    items: list[bytes] = []
    length = 0
    while len(items) < MOST_ITEMS and length < size - SPARE:
        items.append(item(len(items)))
        length += len(items[-1]) + 1
    return b",".join(items[:-1]), len(items) - 1


@functools.cache
def wrapped() -> bytes:
    """Return 1 MiB of text in thousands of layers of gzip, none of which makes it smaller."""
    body = b"x" * MIB
    for _ in range(LAYERS):
        body = gzip.compress(body, 0)
    return body


@functools.cache
def packed() -> bytes:
    """Return 200 MiB of blanks, gzipped."""
    return gzip.compress(b" " * (200 * MIB), 6)


def zipped(request: SentRequest, items: int = 0, *, idempotent: str = "") -> Hostile:
    """Return a request whose body is gzipped: as little on the wire as an attacker could make it."""
    packed = SentRequest(
        request.method,
        request.target,
        {**request.headers, "Content-Encoding": "gzip"},
        gzip.compress(request.body, 6, mtime=0),
    )
    if idempotent:
        packed = with_idempotency_key(packed, idempotent)
    return Hostile(raw(packed), len(request.body), items)


def post(path: str, headers: Mapping[str, str], body: bytes, items: int = 0, *, idempotent: str = "") -> Hostile:
    """Return a POST whose body is gzipped."""
    return zipped(SentRequest("POST", path, dict(headers), body), items, idempotent=idempotent)
