"""Reading a request's body: whole, within its limit, in time, and within what all bodies together may take."""

import asyncio

from aiohttp import StreamReader, web

from gateway.dialect.outcome import Fault, Reason, Refusal
from gateway.http.limits import MAX_IGNORED, Budget

SMALL = 4096  # bytes; an object for each piece of fewer would take more than what is in it


async def read_body(
    payload: StreamReader, declared: int | None, limit: int, seconds: float, budget: Budget
) -> bytes | Refusal:
    """Return a body, or why it is refused. Raises ConnectionError where the client is gone.

    `declared` is its Content-Length; `limit` is in bytes, on the wire. What is refused is not buffered.
    """
    if declared is not None and declared > limit:
        return Refusal(Reason.TOO_LARGE, detail={"limit": limit})
    if payload.is_eof() and payload.exception() is None:
        whole = payload.read_nowait()
        return whole if len(whole) <= limit else Refusal(Reason.TOO_LARGE, detail={"limit": limit})
    pieces: list[bytes] = []
    small = bytearray()
    size = 0
    try:
        async with asyncio.timeout(seconds):
            while chunk := await _read_some(payload):
                if size + len(chunk) > limit:
                    return Refusal(Reason.TOO_LARGE, detail={"limit": limit})
                if not budget.take(len(chunk)):
                    return Refusal(Reason.UNAVAILABLE, retry_after=1)
                size += len(chunk)
                small += chunk
                if len(small) >= SMALL:
                    pieces.append(chunk if len(small) == len(chunk) else bytes(small))
                    small.clear()
        return b"".join((*pieces, small))
    except TimeoutError:
        return Refusal(Reason.TIMEOUT)
    except web.RequestPayloadError as problem:
        problem.with_traceback(None)  # one of its frames refers to the future that raised it: a reference cycle
        return Refusal(Reason.BODY, faults=(Fault("malformed_encoding"),))
    finally:
        budget.give_back(size)
        pieces.clear()  # an exception's traceback may keep this frame for long


async def skip_body(payload: StreamReader, seconds: float) -> bool:
    """Read over a body that no endpoint wants; return whether its end was reached, so that the connection can stay."""
    left = MAX_IGNORED
    try:
        async with asyncio.timeout(seconds):
            while left >= 0 and (chunk := await _read_some(payload)):
                left -= len(chunk)
    except TimeoutError:
        return False
    except web.RequestPayloadError as problem:
        problem.with_traceback(None)
        return False
    return left >= 0


async def _read_some(payload: StreamReader) -> bytes:
    """Return what has come of a body and was not read yet; nothing at its end.

    aiohttp's `readany` waits on after an error that has come along with the end of a chunk; `readchunk` does not.
    """
    while not payload.at_eof():
        chunk, _ = await payload.readchunk()
        if chunk := chunk + _take(payload):
            return chunk
    return b""


def _take(payload: StreamReader) -> bytes:
    """Return what has come of a body and was not read yet.

    aiohttp's `read_nowait` makes a call for each chunk, half of what a small chunk costs. So it gets all as one piece.
    """
    pieces = payload._buffer
    if len(pieces) > 1 and not payload._buffer_offset:
        whole = b"".join(pieces)
        pieces.clear()
        pieces.append(whole)
    return payload.read_nowait()
