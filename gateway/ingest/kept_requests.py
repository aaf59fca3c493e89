"""A request with quarantined items, as it is handed to the store: within its bounds, compressed off the loop."""

import asyncio
import hashlib

import attrs

from gateway.dialect.decode import rewrite
from gateway.records.bounded_head import bounded
from gateway.records.raw_request import RawRequest, compress
from gateway.storage.contract import KeptRequest

BRIEF = 32 * 1024  # bytes that are compressed in less time than another thread takes to begin


async def keep(raw: RawRequest) -> KeptRequest:
    """Return a redacted request as it is kept."""
    raw = attrs.evolve(raw, headers=bounded(raw.headers))
    if len(raw.body) + len(raw.query) <= BRIEF:
        return _kept(raw)
    return await asyncio.to_thread(_kept, raw)


async def compressed(raw: RawRequest) -> bytes:
    """Return what `compress` does, in another thread if that takes long."""
    return compress(raw) if len(raw.body) <= BRIEF else await asyncio.to_thread(compress, raw)


def _kept(raw: RawRequest) -> KeptRequest:
    return KeptRequest(compress(raw), len(raw.body), hashlib.sha256(raw.body).digest())


def payload_json(payload: object, body: bytes) -> bytes:
    """Return an item's payload as JSON; the whole body as text if it is nested more deeply than Python can write."""
    try:
        return rewrite(payload)
    except RecursionError:
        return rewrite(body.decode("utf-8", "replace"))
