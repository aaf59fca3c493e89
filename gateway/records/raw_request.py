"""A request as it is kept, and the same in compressed form. Pure."""

import zlib

import orjson

from gateway.dialect.value_class import value_class

LEVEL = 1  # higher levels take longer and save nothing on a request of a kilobyte


@value_class
class RawRequest:
    """A request as it was received, with its credentials redacted: enough to give it to its dialect again.

    `query` and `headers` are JSON objects of strings. `body` is decompressed. `site` is the public site that the
    request was admitted for.
    """

    method: str
    path: str
    query: bytes
    headers: bytes
    body: bytes
    client_ip: str | None = None
    site: str | None = None


def compress(raw: RawRequest) -> bytes:
    """Return a request as compressed bytes."""
    head = orjson.dumps([raw.method, raw.path, raw.client_ip, raw.site])
    return zlib.compress(b"\n".join((head, raw.query, raw.headers, raw.body)), LEVEL)


def decompress(compressed: bytes) -> RawRequest:
    """Return the request that `compress` was given."""
    head, query, headers, body = zlib.decompress(compressed).split(b"\n", 3)
    method, path, client_ip, site = orjson.loads(head)
    return RawRequest(method=method, path=path, query=query, headers=headers, body=body, client_ip=client_ip, site=site)
