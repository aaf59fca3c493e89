"""What is kept beside events: requests and quarantined items, redacted, within bounds and compressed.

What is small is done on the event loop, in about a millisecond; the rest in a thread.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

import attrs

from gateway.dialect.decode import rewrite
from gateway.dialect.message import Request
from gateway.dialect.outcome import Outcome
from gateway.records.bounded_head import bounded
from gateway.records.raw_request import RawRequest, compress
from gateway.records.redact import KeepIp, Redaction
from gateway.storage.contract import KeptRequest, QuarantinedItem

MAX_ON_LOOP = 64 * 1024
"""Bytes that are searched for secrets on the event loop."""
MAX_ITEMS_ON_LOOP = 100
BRIEF = 32 * 1024  # bytes that are compressed in less time than another thread takes to begin
T = TypeVar("T")


async def redacted_request(
    request: Request, redaction: Redaction, site: str | None, keep_ip: KeepIp | None
) -> RawRequest:
    """Return a request as it may be kept; `site` is what it was admitted for."""
    return await _elsewhere_if_large(len(request.body), lambda: redaction.request(request, site, keep_ip))


async def redacted_items(items: Sequence[QuarantinedItem], redaction: Redaction) -> tuple[QuarantinedItem, ...]:
    """Return quarantined items as they may be kept."""
    few = items[:MAX_ITEMS_ON_LOOP]
    size = sum([len(item.payload) + len(item.faults) for item in few]) if len(few) == len(items) else MAX_ON_LOOP + 1
    return await _elsewhere_if_large(size, lambda: tuple([_redacted(item, redaction) for item in items]))


async def redacted_outcomes(outcomes: tuple[Outcome, ...], redaction: Redaction) -> tuple[Outcome, ...]:
    """Return outcomes as they may be kept and answered."""
    size = MAX_ON_LOOP + 1 if len(outcomes) > MAX_ITEMS_ON_LOOP else 0
    return await _elsewhere_if_large(size, lambda: redaction.outcomes(outcomes))


async def _elsewhere_if_large(size: int, work: Callable[[], T]) -> T:
    return work() if size <= MAX_ON_LOOP else await asyncio.to_thread(work)


def _redacted(item: QuarantinedItem, redaction: Redaction) -> QuarantinedItem:
    payload, faults = redaction.item(item.payload, item.faults)
    return attrs.evolve(item, payload=payload, faults=faults)


async def keep(raw: RawRequest) -> KeptRequest:
    """Return a redacted request as it is kept."""
    raw = attrs.evolve(raw, headers=bounded(raw.headers))
    if len(raw.body) + len(raw.query) <= BRIEF:
        return _kept(raw)
    return await asyncio.to_thread(_kept, raw)


def kept_of_nobody(request: Request) -> KeptRequest:
    """Return what is kept of a request from somebody who asked for privacy: its size."""
    return KeptRequest(b"", len(request.body), b"")


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
