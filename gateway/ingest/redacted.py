"""Redacts what is kept beside events, on the event loop only as long as it is small."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

import attrs

from gateway.dialect.message import Request
from gateway.records.raw_request import RawRequest
from gateway.records.redact import KeepIp, Redaction
from gateway.storage.contract import QuarantinedItem

MAX_ON_LOOP = 64 * 1024
"""Bytes that are searched on the event loop, in about a millisecond. More is searched in a thread."""

T = TypeVar("T")


async def redacted_request(
    request: Request, redaction: Redaction, site: str | None, keep_ip: KeepIp | None
) -> RawRequest:
    """Return a request as it may be kept; `site` is what it was admitted for."""
    return await _elsewhere_if_large(len(request.body), lambda: redaction.request(request, site, keep_ip))


async def redacted_items(items: Sequence[QuarantinedItem], redaction: Redaction) -> tuple[QuarantinedItem, ...]:
    """Return quarantined items as they may be kept."""
    size = sum([len(item.payload) + len(item.faults) for item in items])
    return await _elsewhere_if_large(size, lambda: tuple([_redacted(item, redaction) for item in items]))


async def _elsewhere_if_large(size: int, work: Callable[[], T]) -> T:
    return work() if size <= MAX_ON_LOOP else await asyncio.to_thread(work)


def _redacted(item: QuarantinedItem, redaction: Redaction) -> QuarantinedItem:
    payload, faults = redaction.item(item.payload, item.faults)
    return attrs.evolve(item, payload=payload, faults=faults)
