"""A whole request as few bytes, and back. Pure."""

import zlib

import orjson

from gateway.storage.base import Raw

LEVEL = 1  # the next ones take longer and save nothing on a request of a kilobyte


def pack(raw: Raw) -> bytes:
    """Return a request as compressed bytes."""
    head = orjson.dumps([raw.method, raw.path, raw.client_ip, raw.site])
    return zlib.compress(b"\n".join((head, raw.query, raw.headers, raw.body)), LEVEL)


def unpack(packed: bytes) -> Raw:
    """Return what `pack` was given."""
    head, query, headers, body = zlib.decompress(packed).split(b"\n", 3)
    method, path, client_ip, site = orjson.loads(head)
    return Raw(method, path, query, headers, body, client_ip, site)
