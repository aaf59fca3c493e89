"""A request with quarantined items, as it is handed to the store: within its bounds, compressed off the loop."""

import asyncio
import hashlib
import json

import attrs

from gateway.dialect.decode import rewrite
from gateway.records.raw_request import RawRequest, compress
from gateway.storage.contract import KeptRequest

MAX_HEADERS = 8192
"""Bytes of headers that are kept; beyond it the longest are left out."""
NOT_KEPT = "(not kept)"
MAX_NAMES = 500
BRIEF = 32 * 1024  # bytes that are compressed in less time than another thread takes to begin


async def keep(raw: RawRequest) -> KeptRequest:
    """Return a redacted request as it is kept."""
    raw = attrs.evolve(raw, headers=bounded_headers(raw.headers))
    if len(raw.body) + len(raw.query) <= BRIEF:
        return _kept(raw)
    return await asyncio.to_thread(_kept, raw)


async def compressed(raw: RawRequest) -> bytes:
    """Return what `compress` does, in another thread if that takes long."""
    return compress(raw) if len(raw.body) <= BRIEF else await asyncio.to_thread(compress, raw)


def _kept(raw: RawRequest) -> KeptRequest:
    return KeptRequest(compress(raw), len(raw.body), hashlib.sha256(raw.body).digest())


def bounded_headers(headers: bytes) -> bytes:
    """Return headers (a JSON object), without the longest beyond MAX_HEADERS bytes; NOT_KEPT then has their names."""
    if len(headers) <= MAX_HEADERS:
        return headers
    values: dict[str, str] = json.loads(headers)  # they may hold half a surrogate pair
    sizes = {name: len(json.dumps([name, value])) for name, value in values.items()}
    room, kept = MAX_HEADERS, set[str]()
    for name in sorted(sizes, key=lambda name: sizes[name]):
        room -= sizes[name]
        if room < 0:
            break
        kept.add(name)
    missing = ", ".join([name for name in values if name not in kept])[:MAX_NAMES]
    return json.dumps({**{name: values[name] for name in values if name in kept}, NOT_KEPT: missing}).encode()


def payload_json(payload: object, body: bytes) -> bytes:
    """Return an item's payload as JSON; the whole body as text if it is nested more deeply than Python can write."""
    try:
        return rewrite(payload)
    except RecursionError:
        return rewrite(body.decode("utf-8", "replace"))
