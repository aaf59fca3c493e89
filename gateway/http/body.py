"""Reading a request's body: whole, within its limit, in time, and within what all bodies together may take."""

import asyncio

from aiohttp import StreamReader, web

from gateway.dialect.outcome import Fault, Reason, Refusal
from gateway.http.limits import MAX_IGNORED, Budget


async def read_body(
    payload: StreamReader, declared: int | None, limit: int, seconds: float, budget: Budget
) -> bytes | Refusal:
    """Return a body, or why it is refused. Raises ConnectionError where the client is gone.

    `declared` is its Content-Length; `limit` is in bytes, on the wire. What is refused is not buffered.
    """
    if declared is not None and declared > limit:
        return Refusal(Reason.TOO_LARGE, detail={"limit": limit})
    if payload.is_eof() and payload.exception() is None:
        body = payload.read_nowait()
        return body if len(body) <= limit else Refusal(Reason.TOO_LARGE, detail={"limit": limit})
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            while chunk := await payload.readany():
                if size + len(chunk) > limit:
                    return Refusal(Reason.TOO_LARGE, detail={"limit": limit})
                if not budget.take(len(chunk)):
                    return Refusal(Reason.UNAVAILABLE, retry_after=1)
                size += len(chunk)
                chunks.append(chunk)
        return b"".join(chunks)
    except TimeoutError:
        return Refusal(Reason.TIMEOUT)
    except web.RequestPayloadError:
        return Refusal(Reason.BODY, faults=(Fault("malformed_encoding"),))
    finally:
        budget.give_back(size)
        chunks.clear()  # an exception's traceback may keep this frame for long


async def skip_body(payload: StreamReader, seconds: float) -> bool:
    """Read over a body that no endpoint wants; return whether its end was reached, so that the connection can stay."""
    left = MAX_IGNORED
    try:
        async with asyncio.timeout(seconds):
            while left >= 0 and (chunk := await payload.readany()):
                left -= len(chunk)
    except (TimeoutError, web.RequestPayloadError):
        return False
    return left >= 0
